import { EndlessDrainError } from '../errors/endless-drain.error.js';
import { JobNotFoundError } from '../errors/job-not-found.error.js';
import { JobStateError } from '../errors/job-state.error.js';
import { NotTestingError } from '../errors/not-testing.error.js';
import { stateOf } from '../typeorm/statements/awaiting.js';
import { isDue } from './memory/claim-rows.js';
import type { MemoryStore } from './memory/memory-store.js';
import type { JobRow } from './memory/rows.js';
import type { TestClock } from './test-clock.js';
import type { TestedJob } from './tested-job.js';
import type { TestWorker } from './test-worker.js';

const LAST_TYPES = 20;
/** Jobs that enqueue jobs that enqueue jobs, each inside of the one before. */
const DEEPEST = 100;

export type Errors = 'record' | 'throw';

/** How many runs there may be, and which were the last ones. */
export class Budget {
  runs = 0;
  private readonly last: string[] = [];

  constructor(private readonly most: number) {}

  spend({ type }: JobRow): void {
    if (this.runs === this.most) throw new EndlessDrainError(this.runs, [...new Set(this.last)]);
    this.runs++;
    this.last.push(type);
    if (this.last.length > LAST_TYPES) this.last.shift();
  }
}

/** What makes jobs run in a test. */
export class TestRuns {
  constructor(
    private readonly worker: TestWorker,
    private readonly store: MemoryStore,
    private readonly clock: TestClock,
    private readonly service: string,
  ) {}

  /** Runs what is due until nothing is, also after each move of the clock up to `until`. */
  async drain(budget: Budget, until: number | undefined, errors: Errors): Promise<void> {
    const { clock, worker } = this;
    for (;;) {
      await this.drainDue(budget, errors);
      if (until === undefined || clock.time >= until) break;
      clock.moveTo(Math.min(worker.nextTime() ?? until, until));
    }
    await worker.prune();
  }

  /** `false`: nothing is due. */
  async runNext(errors: Errors): Promise<JobRow | undefined> {
    await this.worker.start();
    await this.worker.lookForDue();
    const row = this.worker.next();
    if (row !== undefined) await this.runRow(row, errors);
    return row;
  }

  async runRow(row: JobRow, errors: Errors): Promise<void> {
    const { active, ended } = await this.begin(row);
    await ended;
    if (errors === 'throw' && active.thrown !== undefined) throw active.thrown.error;
  }

  begin(row: JobRow): Promise<{ active: TestedJob; ended: Promise<void> }> {
    const handler = this.worker.handlerOf(row);
    if (handler === undefined) {
      const cure = 'Add the provider with its @JobHandler() to the module under test, or enqueue another type.';
      throw new NotTestingError(`Job ${row.id} has no handler here that runs it`, row.type, cure);
    }
    return this.worker.begin(row, handler);
  }

  /** Whatever its time and its turn. @throws JobNotFoundError, JobStateError */
  waiting(id: string): JobRow {
    const row = this.store.job(this.service, id);
    if (row === undefined) throw new JobNotFoundError(id);
    const state = stateOf(row);
    if (state !== 'scheduled' && state !== 'waiting')
      throw new JobStateError(id, state, 'run', ['scheduled', 'waiting']);
    Object.assign(row, { state: 'waiting', due: Math.min(row.due, this.store.now) });
    return row;
  }

  /** Where each enqueue runs its job: these have just been enqueued. */
  async runInline(rows: readonly JobRow[], errors: Errors): Promise<void> {
    if (this.worker.depth >= DEEPEST) throw new EndlessDrainError(DEEPEST, [...new Set(rows.map(({ type }) => type))]);
    const budget = new Budget(DEEPEST * DEEPEST);
    for (const row of rows) {
      // A retry without a wait is due as well.
      while (isDue(this.store, row) && this.mayRun(row)) {
        budget.spend(row);
        await this.runRow(row, errors);
      }
    }
  }

  private mayRun(row: JobRow): boolean {
    const isThere = this.store.jobs.get(row.id) === row;
    return isThere && this.worker.handlerOf(row) !== undefined && !this.store.pauses.has(`${row.service} ${row.type}`);
  }

  private async drainDue(budget: Budget, errors: Errors): Promise<void> {
    await this.worker.start();
    for (;;) {
      await this.worker.lookForDue();
      const row = this.worker.next();
      if (row === undefined) return;
      budget.spend(row);
      await this.runRow(row, errors);
    }
  }
}
