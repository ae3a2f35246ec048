import { PersistentQueue } from '../persistent-queue.js';
import type { AfterCommit } from '../queue/after-commit.js';
import type { LockService } from '../lock/lock-service.js';
import type { QueueEventLogger } from '../events/queue-event.logger.js';
import type { Scheduler } from '../schedule/scheduler.js';
import type { ApplicationTransactions } from '../typeorm/application-transactions.js';
import type { TestQueue } from './test-queue.js';
import type { TestWorker } from './test-worker.js';

export interface TestedParts {
  readonly queue: TestQueue;
  readonly worker: TestWorker;
  readonly scheduler: Scheduler;
  readonly locks: LockService;
  readonly afterCommit: AfterCommit;
  readonly transactions: ApplicationTransactions;
  readonly logger: QueueEventLogger;
}

/** The life of the module in a test: nothing is started that would go on by itself, and nothing is waited for at the end. */
export class TestedPersistentQueue extends PersistentQueue {
  readonly queue: TestQueue;
  readonly #parts: TestedParts;

  constructor(own: ConstructorParameters<typeof PersistentQueue>, parts: TestedParts) {
    super(...own);
    this.queue = parts.queue;
    this.#parts = parts;
  }

  override async onModuleDestroy(): Promise<void> {}

  override async beforeApplicationShutdown(): Promise<void> {
    const { worker, locks, afterCommit, transactions, logger } = this.#parts;
    worker.stop();
    locks.stop();
    afterCommit.stop();
    transactions.close();
    logger.stop();
  }

  protected override async startServices(): Promise<void> {
    await this.#parts.worker.start();
    await this.#parts.scheduler.declare();
  }
}
