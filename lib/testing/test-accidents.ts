import type { AsyncLocalStorage } from 'node:async_hooks';
import { NotTestingError } from '../errors/not-testing.error.js';
import type { QueueEvents } from '../events/queue-events.js';
import type { ApplicationTransactions } from '../typeorm/application-transactions.js';
import { rescueRow } from './memory/claim-rows.js';
import type { MemoryStore } from './memory/memory-store.js';
import type { JobRow } from './memory/rows.js';
import type { TestedJob } from './tested-job.js';
import type { TestRuns } from './test-runs.js';
import type { TestWorker } from './test-worker.js';

const SINGLE_CONNECTION = /sqlite|sqljs/;

export interface AccidentTools {
  readonly worker: TestWorker;
  readonly runs: TestRuns;
  readonly store: MemoryStore;
  readonly current: AsyncLocalStorage<TestedJob>;
  readonly transactions: ApplicationTransactions;
  readonly events: QueueEvents;
  readonly keepFailed: number;
}

/** What happens to running jobs in production, now and then. */
export class TestAccidents {
  constructor(private readonly tools: AccidentTools) {}

  /** Called from within a handler that dies by it, nothing comes back. */
  async crash(id: string | undefined): Promise<void> {
    const own = this.own(id);
    const dying = own === undefined ? this.running(id) : [own];
    for (const active of dying) {
      active.die();
      this.rescue(active);
    }
    if (own !== undefined) await new Promise<never>(() => undefined);
  }

  /** The lease is gone, and the job runs again to its end, while its handler goes on. */
  async zombie(id: string | undefined): Promise<void> {
    const [active] = this.own(id) === undefined ? this.running(id) : [this.own(id)];
    this.refuseInsideTransaction();
    const row = active && this.rescue(active);
    if (row?.state === 'waiting') await this.tools.runs.runRow(row, 'record');
  }

  private own(id: string | undefined): TestedJob | undefined {
    const current = this.tools.current.getStore();
    if (current === undefined || !this.tools.worker.running.has(current) || current.isAbandoned) return undefined;
    return id === undefined || current.job.id === id ? current : undefined;
  }

  private running(id: string | undefined): TestedJob[] {
    const alive = [...this.tools.worker.running].filter(({ isAbandoned }) => !isAbandoned);
    const found = id === undefined ? alive : alive.filter(({ job }) => job.id === id);
    if (found.length > 0) return found;
    const cure =
      'Begin it with `await queue.start(id)`, or call this from within its handler: from a stand-in that the handler calls.';
    throw new NotTestingError(id === undefined ? 'No job is running' : `Job ${id} is not running`, id ?? 'none', cure);
  }

  /** As another node does it: the fence is raised, and the crash is in the history. */
  private rescue({ job }: TestedJob): JobRow | undefined {
    const { store, events, keepFailed } = this.tools;
    const row = store.held(job);
    if (row === undefined) return undefined;
    const { id, type, state } = rescueRow(store, row, keepFailed);
    events.emit({ name: 'job.rescued', job: { id, type }, state });
    return row;
  }

  private refuseInsideTransaction(): void {
    const type = this.tools.transactions.current?.connection?.options.type;
    if (type === undefined || !SINGLE_CONNECTION.test(type)) return;
    const cure = 'Call it before the transaction or after it: the job would wait for its own other run.';
    throw new NotTestingError(
      'zombie() was called inside of a transaction on a database with one connection',
      type,
      cure,
    );
  }
}
