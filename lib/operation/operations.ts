import { Injectable } from '@nestjs/common';
import { InvalidHandlerError } from '../errors/invalid-handler.error.js';
import { QueueEvents } from '../events/queue-events.js';
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
  private leaders: OperationLeader[] = [];

  constructor(
    private readonly explorer: OperationExplorer,
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

  /** After all handlers are registered. */
  async explore(): Promise<void> {
    const definitions = await this.explorer.explore();
    refuseSharedLocks(definitions);
    for (const { type } of definitions) this.types.add(type);
    const { pool, repository, transactions, events } = this;
    const tools = { pool, repository, transactions, events };
    this.leaders = definitions.map((definition) => new OperationLeader(definition, this.locks, tools, this.options));
  }

  start(): void {
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
}

/** The one that has it would keep it: rows of the other would never run. */
function refuseSharedLocks(definitions: readonly OperationDefinition[]): void {
  const owners = new Map<string, OperationDefinition>();
  for (const definition of definitions) {
    const { lock, handler } = definition;
    const first = owners.get(lock.name);
    if (first !== undefined) {
      const mistake = `operation.lock.name is that of ${first.handler.name}`;
      throw new InvalidHandlerError(handler.name, lock.name, mistake, 'Give each operation a lock of its own.');
    }
    owners.set(lock.name, definition);
  }
}
