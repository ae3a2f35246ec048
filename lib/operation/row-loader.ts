import type { QueryRunner } from 'typeorm';
import { OperationHungError } from '../errors/operation-hung.error.js';
import type { QueueEvents } from '../events/queue-events.js';
import type { LoadScope, OperationJob } from '../job/operation.js';
import { within } from '../support/within.js';
import type { ApplicationTransactions } from '../typeorm/application-transactions.js';
import type { OperationDefinition } from './operation-definition.js';
import { readRows } from './read-rows.js';

/** Calls `loadJobs()`, for no longer than it may take, and makes sure of what it answers. */
export class RowLoader {
  private loading: AbortController | undefined;
  private toldOf: string | undefined;

  constructor(
    private readonly definition: OperationDefinition,
    private readonly transactions: ApplicationTransactions,
    private readonly events: QueueEvents,
  ) {}

  /** Rejects for a call that throws, hangs or is stopped. */
  async load(scope: Pick<LoadScope, 'limit' | 'exclude' | 'fence'>): Promise<ReadonlyMap<string, OperationJob>> {
    const loading = new AbortController();
    this.loading = loading;
    try {
      const { rows, faults } = readRows(await this.ask(scope, loading.signal));
      this.tellOf(faults);
      return rows;
    } finally {
      loading.abort();
    }
  }

  /** Whoever waits for rows need not any more. */
  stop(): void {
    this.loading?.abort(new Error('The operation stops.'));
  }

  private ask(given: Pick<LoadScope, 'limit' | 'exclude' | 'fence'>, signal: AbortSignal): Promise<unknown> {
    const { type, operation, timeout } = this.definition;
    let runner: QueryRunner | undefined;
    const hung = () => {
      this.transactions.abandon(runner);
      return new OperationHungError('loadJobs', timeout);
    };
    return this.transactions.read<unknown>(
      async (manager) => {
        runner = manager.queryRunner;
        return operation.loadJobs({ ...given, type, signal, manager });
      },
      (answer) => within(timeout, () => answer, hung, signal),
    );
  }

  /** Once, not with every load. */
  private tellOf(faults: readonly string[]): void {
    const [first] = faults;
    const { type: operation } = this.definition;
    if (first !== undefined && first !== this.toldOf)
      this.events.emit({ name: 'operation.bad-rows', operation, rows: faults.length, first });
    this.toldOf = first;
  }
}
