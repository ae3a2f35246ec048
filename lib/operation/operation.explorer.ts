import { Injectable, Optional, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { InvalidHandlerError } from '../errors/invalid-handler.error.js';
import { QueueEvents } from '../events/queue-events.js';
import { JobHandlerRegistry } from '../handler/job-handler.registry.js';
import type { Invoke, RegisteredHandler } from '../handler/registered-handler.js';
import { Operation } from '../job/operation.js';
import { checkLockName, readLockTimes } from '../lock/lock-options.js';
import { OptionReader } from '../options/option-reader.js';
import type { OperationOptions } from '../options/operation-options.js';
import { LONGEST_TIMER } from '../support/duration.js';
import { awaited, untilAborted } from '../support/observables.js';
import { messageOf } from '../support/message-of.js';
import { ApplicationTransactions } from '../typeorm/application-transactions.js';
import type { OperationDefinition } from './operation-definition.js';

const OPTIONS = ['use', 'lock', 'timeout'] as const satisfies readonly (keyof OperationOptions)[];
const LOCK_OPTIONS = ['name', 'atMost', 'atLeast'];

/** From handlers with an `operation` to operations that can be led. What cannot work stops the application, naming class and method. */
@Injectable()
export class OperationExplorer {
  constructor(
    private readonly moduleRef: ModuleRef,
    private readonly registry: JobHandlerRegistry,
    private readonly transactions: ApplicationTransactions,
    private readonly events: QueueEvents,
    @Optional() private readonly fallback?: Operation,
  ) {}

  async explore(): Promise<OperationDefinition[]> {
    const found: OperationDefinition[] = [];
    for (const handler of this.registry.operations) found.push(await this.define(handler));
    return found;
  }

  private async define(handler: RegisteredHandler): Promise<OperationDefinition> {
    const { type, name } = handler;
    refuseManual(handler);
    const given = new OptionReader(`${name}: operation`, handler.options.operation, OPTIONS);
    const operation = await this.find(name, given.value('use'));
    const warnings = await this.transactions.read(async (manager) => operation.check(type, manager));
    for (const warning of warnings) this.events.emit({ name: 'operation.warning', operation: type, warning });
    const around = aroundHandler(handler, operation);
    this.registry.replace(around);
    const timeout = given.duration('timeout', '1m', 1, LONGEST_TIMER);
    return { type, handler: around, operation, lock: readLock(given, type), timeout };
  }

  private async find(name: string, use: unknown): Promise<Operation> {
    const operation = use === undefined ? this.fallback : await this.instantiate(name, use);
    if (operation instanceof Operation) return operation;
    const mistake = 'operation.use is no Operation';
    const cure =
      'Give a class that extends Operation, or provide one for all: overrides: [{ provide: Operation, useClass: … }].';
    throw new InvalidHandlerError(name, use, mistake, cure);
  }

  /** That of the application, when it is a provider; else one of our own. */
  private async instantiate(name: string, use: unknown): Promise<unknown> {
    if (typeof use !== 'function') return use;
    const type = use as Type<Operation>;
    try {
      return this.moduleRef.get(type, { strict: false });
    } catch {
      return this.moduleRef.create(type).catch((error: unknown) => {
        const mistake = `operation.use cannot be made (${messageOf(error)})`;
        throw new InvalidHandlerError(name, type.name, mistake, 'Add it to the providers of one of your modules.');
      });
    }
  }
}

function refuseManual({ name, options }: RegisteredHandler): void {
  if (options.ackTimeout === undefined) return;
  const cure = 'Let the row enqueue a job of a type that has it.';
  throw new InvalidHandlerError(name, 'manual', "rows of a table of yours cannot have ack: 'manual'", cure);
}

function readLock(given: OptionReader, type: string): OperationDefinition['lock'] {
  const { name = `operation:${type}`, ...times } = (given.value('lock') ?? {}) as NonNullable<OperationOptions['lock']>;
  checkLockName(name);
  return { name, ...readLockTimes('operation.lock', times, LOCK_OPTIONS) };
}

function aroundHandler(handler: RegisteredHandler, operation: Operation): RegisteredHandler {
  const { invoke } = handler;
  if (invoke === undefined) return handler;
  const around: Invoke = async (payload, job, ...more) =>
    awaited(
      untilAborted(
        operation.handleJob(payload, job, () => invoke(payload, job, ...more)),
        () => job.signal,
      ),
    );
  return { ...handler, invoke: around };
}
