import { Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { InvalidHandlerError } from './errors/invalid-handler.error.js';
import { NotRunningError } from './errors/not-running.error.js';
import { QueueEvents } from './events/queue-events.js';
import { HandlerClock } from './handler/handler-clock.js';
import { invokeFunction } from './handler/invoke-function.js';
import { JobHandlerExplorer, refuseOperation } from './handler/job-handler.explorer.js';
import { JobHandlerRegistry } from './handler/job-handler.registry.js';
import type { JobContext } from './job/job-context.js';
import type { JobType } from './job/job-type.js';
import type { SchemaOutput, StandardSchema } from './job/standard-schema.js';
import { NodeLease } from './node/node-lease.js';
import { Operations } from './operation/operations.js';
import type { JobHandlerOptions } from './options/handler-options.js';
import { resolveHandlerOptions } from './options/resolve-handler-options.js';
import { Poller } from './poller/poller.js';
import { readType } from './queue/build-job.js';
import type { JobDefinition } from './queue/job-definition.js';
import { MultiStepTypes } from './queue/multi-step-types.js';
import { Scheduler } from './schedule/scheduler.js';
import { MultiStepJobExplorer } from './steps/multi-step-job.explorer.js';
import { WorkerPool } from './worker/worker-pool.js';

/**
 * The handlers of this process, which may come and go while it runs. Before the application has started, what is registered waits for
 * that; when it shuts down, all of it is a `NotRunningError`.
 *
 * @publicApi
 */
@Injectable()
export class JobHandlers {
  private isExplored = false;
  private isOver = false;

  constructor(
    private readonly moduleRef: ModuleRef,
    private readonly registry: JobHandlerRegistry,
    private readonly explorer: JobHandlerExplorer,
    private readonly multiStepJobs: MultiStepJobExplorer,
    private readonly multiStepTypes: MultiStepTypes,
    private readonly operations: Operations,
    private readonly scheduler: Scheduler,
    private readonly lease: NodeLease,
    private readonly poller: Poller,
    private readonly pool: WorkerPool,
    private readonly clock: HandlerClock,
    private readonly events: QueueEvents,
  ) {}

  /** Finds all that is decorated: called when the application starts. */
  async explore(): Promise<void> {
    this.isExplored = true;
    this.find();
    await this.operations.explore();
  }

  /** From now on nothing can be changed: called when the application shuts down. */
  stop(): void {
    this.isOver = true;
  }

  /**
   * Finds the `@JobHandler()`, `@MultiStepJob()` and `@JobSchedule()` of modules that were loaded since, with Nest's `LazyModuleLoader`.
   * Answers the job types that have a handler here now and had none before. Before the application has started it finds nothing: the start
   * does.
   *
   * @throws DuplicateHandlerError, InvalidHandlerError, InvalidOptionError, UnknownOptionError as the start of the application would; what was
   * found before the error runs.
   */
  async rescan(): Promise<string[]> {
    this.refuseWhenOver('rescan');
    if (!this.isExplored) return [];
    const before = new Set(this.registry.all);
    this.multiStepTypes.forget();
    forgetProviders(this.moduleRef);
    try {
      this.find();
      await this.operations.explore();
    } finally {
      await this.changed();
    }
    await this.scheduler.declareNew();
    return this.registry.all.filter((type) => !before.has(type));
  }

  /**
   * Runs jobs of the type by a function, as if it were a `@JobHandler()` method, from now on. No guard, pipe, interceptor or filter is
   * around it. Resolves when the other nodes have been told.
   *
   * @throws DuplicateHandlerError, InvalidHandlerError, InvalidOptionError, UnknownOptionError as the decorator's, when the application starts.
   */
  register<Payload, Received>(
    definition: JobDefinition<Payload, Received>,
    work: (payload: Received, job: JobContext) => unknown,
    options?: JobHandlerOptions,
  ): Promise<void>;
  register<Schema extends StandardSchema>(
    type: JobType,
    work: (payload: SchemaOutput<Schema>, job: JobContext) => unknown,
    options: Omit<JobHandlerOptions, 'schema'> & { schema: Schema },
  ): Promise<void>;
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what the function says that it gets
  register<Payload>(
    type: JobType,
    work: (payload: Payload, job: JobContext) => unknown,
    options?: JobHandlerOptions & { schema?: undefined },
  ): Promise<void>;
  async register(
    given: JobType | JobDefinition<unknown>,
    work: (payload: never, job: JobContext) => unknown,
    options: JobHandlerOptions = {},
  ): Promise<void> {
    this.refuseWhenOver('register');
    const owner = 'JobHandlers.register';
    const name = nameOf(work);
    const { type, options: defined } =
      typeof given === 'object' && given !== null ? given : { type: given, options: {} };
    resolveHandlerOptions(`${owner}('${String(type)}')`, options);
    const facts = this.explorer.describe(owner, name, { type, options: { ...defined, ...options } });
    refuseOperation(facts);
    this.registry.register({ ...facts, invoke: invokeFunction(work, facts.type, this.clock) });
    await this.changed();
  }

  /**
   * No job of the type is begun here any more, whatever its handler was. Those that have been claimed and have not begun go back, and use
   * up nothing; those that run end as ever, and then this resolves. `false`: there was no handler. The type may be registered again.
   *
   * @throws InvalidHandlerError for a handler with an `operation`.
   */
  async unregister(given: JobType | JobDefinition<unknown>): Promise<boolean> {
    this.refuseWhenOver('unregister');
    const type = readType(given);
    const handler = this.registry.get(type);
    if (handler?.options.operation !== undefined) {
      const cure = 'Leave it: it leads an operation until the application is closed.';
      throw new InvalidHandlerError(
        handler.name,
        type,
        'a handler of rows of a table of yours cannot be taken away',
        cure,
      );
    }
    this.registry.unregister(type);
    const ended = this.pool.vacate(type);
    await this.changed();
    await ended;
    return handler !== undefined;
  }

  private find(): void {
    this.explorer.explore();
    this.multiStepJobs.explore();
    this.scheduler.explore();
  }

  private async changed(): Promise<void> {
    this.poller.typesChanged();
    // It runs, or does not, whoever knows of it: the next beat tells it.
    await this.lease.tellTypes().catch((error: unknown) => this.events.databaseError('telling job types', error));
  }

  private refuseWhenOver(method: string): void {
    if (this.isOver) throw new NotRunningError(`JobHandlers.${method}()`);
  }
}

/** Nest lists all providers once, when the first is looked up: one of a module that came later would be unknown for ever. */
function forgetProviders(moduleRef: ModuleRef): void {
  Reflect.set(moduleRef, '_instanceLinksHost', undefined);
}

function nameOf(work: unknown): string {
  if (typeof work !== 'function') {
    const cure = 'Give (payload, job) => …';
    throw new InvalidHandlerError('JobHandlers.register()', work, 'it needs a function', cure);
  }
  return work.name === '' ? 'a function' : `the function ${work.name}`;
}
