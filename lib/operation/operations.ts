import { Injectable } from '@nestjs/common';
import { InvalidHandlerError } from '../errors/invalid-handler.error.js';
import { QueueEvents } from '../events/queue-events.js';
import { JobHandlerRegistry } from '../handler/job-handler.registry.js';
import type { Attempt } from '../job/attempt.js';
import type { JobType } from '../job/job-type.js';
import type { OperationJob } from '../job/operation.js';
import { LockService } from '../lock/lock-service.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { OperationTypes } from '../queue/operation-types.js';
import { OperationRepository } from '../repository/operation-repository.js';
import { ApplicationTransactions } from '../typeorm/application-transactions.js';
import { WorkerPool } from '../worker/worker-pool.js';
import type { OperationDefinition } from './operation-definition.js';
import { OperationExplorer } from './operation.explorer.js';
import { OperationLeader } from './operation-leader.js';

/**
 * Jobs that are rows of the application's own tables: see `Operation`.
 *
 * @publicApi
 */
@Injectable()
export class Operations {
  private readonly leaders: OperationLeader[] = [];
  /** By the name of the lock. */
  private readonly owners = new Map<string, OperationDefinition>();
  private hasStarted = false;

  constructor(
    private readonly explorer: OperationExplorer,
    private readonly registry: JobHandlerRegistry,
    private readonly locks: LockService,
    private readonly pool: WorkerPool,
    private readonly repository: OperationRepository,
    private readonly transactions: ApplicationTransactions,
    private readonly types: OperationTypes,
    private readonly events: QueueEvents,
    private readonly options: ResolvedOptions,
  ) {}

  /** The attempts of a row, oldest first, for as long as history is kept. */
  history(type: JobType, id: OperationJob['id']): Promise<Attempt[]> {
    return this.repository.history(String(type), String(id));
  }

  /** After all handlers are registered, and again when more of them have come: those of an application that runs are led at once. */
  async explore(): Promise<void> {
    const definitions = await this.explorer.explore();
    for (const definition of definitions) this.refuseSharedLock(definition);
    for (const type of this.registry.operationTypes) this.types.add(type);
    const { pool, repository, transactions, events } = this;
    const tools = { pool, repository, transactions, events };
    for (const definition of definitions)
      this.leaders.push(new OperationLeader(definition, this.locks, tools, this.options));
    if (this.hasStarted) this.start();
  }

  start(): void {
    this.hasStarted = true;
    for (const leader of this.leaders) leader.start();
  }

  /** Nothing more is loaded. */
  async stop(): Promise<void> {
    await Promise.all(this.leaders.map((leader) => leader.stop()));
  }

  /** After the pool has drained: what has ended is written, and the locks are free. */
  async retire(): Promise<void> {
    await Promise.all(this.leaders.map((leader) => leader.retire()));
  }

  /** The one that has it would keep it: rows of the other would never run. */
  private refuseSharedLock(definition: OperationDefinition): void {
    const { lock, handler } = definition;
    const first = this.owners.get(lock.name);
    if (first !== undefined) {
      const mistake = `operation.lock.name is that of ${first.handler.name}`;
      throw new InvalidHandlerError(handler.name, lock.name, mistake, 'Give each operation a lock of its own.');
    }
    this.owners.set(lock.name, definition);
  }
}
