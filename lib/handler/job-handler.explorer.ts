import { Injectable, Optional } from '@nestjs/common';
import { InvalidHandlerError } from '../errors/invalid-handler.error.js';
import { jobTypeFault } from '../job/job-type.js';
import { Operation } from '../job/operation.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { refuseContradictions, resolveHandlerOptions } from '../options/resolve-handler-options.js';
import { refuseLimitsOfOperation } from '../options/resolve-limits.js';
import { DecoratedMethodScanner, type DecoratedMethod } from './decorated-method.scanner.js';
import { HandlerInvoker } from './handler-invoker.js';
import { JOB_HANDLER_METADATA, type JobHandlerMetadata } from './job-handler.decorator.js';
import { JobHandlerRegistry } from './job-handler.registry.js';
import type { HandlerFacts, RegisteredHandler } from './registered-handler.js';
import { SeenMethods } from './seen-methods.js';

/** From decorated methods to registered handlers. What cannot work stops the application, naming class and method. */
@Injectable()
export class JobHandlerExplorer {
  private readonly seen = new SeenMethods();

  constructor(
    private readonly scanner: DecoratedMethodScanner,
    private readonly invoker: HandlerInvoker,
    private readonly registry: JobHandlerRegistry,
    private readonly options: ResolvedOptions,
    @Optional() private readonly operation?: Operation,
  ) {}

  /** Registers those that have not been registered before. */
  explore(): void {
    for (const decorated of this.scanner.scan<JobHandlerMetadata>(JOB_HANDLER_METADATA)) {
      if (decorated.metadata.options?.queue !== this.options.name || this.seen.has(decorated)) continue;
      this.registry.register(this.toHandler(decorated, true));
      this.seen.add(decorated);
    }
  }

  /** A method of which no `@JobHandler()` tells: its jobs are always ours. */
  register(decorated: DecoratedMethod<JobHandlerMetadata>): void {
    this.registry.register(this.toHandler(decorated, false));
  }

  private toHandler(decorated: DecoratedMethod<JobHandlerMetadata>, mayBeOperation: boolean): RegisteredHandler {
    const name = `${decorated.class.name}.${decorated.method}`;
    const facts = this.describe('@JobHandler', name, decorated.metadata);
    if (!mayBeOperation) refuseOperation(facts);
    const forAll = mayBeOperation && this.operation !== undefined ? {} : undefined;
    const options = { ...facts.options, operation: facts.options.operation ?? forAll };
    refuseLimitsOfOperation(`@JobHandler('${facts.type}') on ${name}`, options);
    return { ...facts, options, invoke: this.invoker.create(decorated, facts.type) };
  }

  /** All about a handler but how it is called. `decorator`: of whose options it is the meaning. */
  describe(decorator: string, name: string, { type, options }: JobHandlerMetadata): HandlerFacts {
    const fault = jobTypeFault(type);
    if (fault !== undefined) throw new InvalidHandlerError(name, type, `${decorator}() needs a job type`, fault);
    const { queue: _, ...handlerOptions } = options;
    const given = { ...handlerOptions, ...this.options.handlers[String(type)] };
    const owner = `${decorator}('${String(type)}') on ${name}`;
    const resolved = resolveHandlerOptions(owner, given);
    refuseContradictions(owner, given);
    const { retention } = this.options;
    return {
      type: String(type),
      name,
      options: resolved,
      retention: {
        succeeded: resolved.retention.succeeded ?? retention.succeeded,
        failed: resolved.retention.failed ?? retention.failed,
      },
    };
  }
}

/** For what makes jobs of ours. */
export function refuseOperation({ name, options }: HandlerFacts): void {
  if (options.operation === undefined) return;
  const cure = 'Leave out the operation: only a @JobHandler() method can have its jobs in a table of yours.';
  throw new InvalidHandlerError(name, options.operation, 'its jobs are stored by this library', cure);
}
