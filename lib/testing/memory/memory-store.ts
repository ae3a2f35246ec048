import type { JobManager } from '../../repository/job-repository.js';
import type { AttemptRow, FiringRow, JobRow, LockRow, LogRow, NodeRow, ScheduleRow, SlotRow, StepRow } from './rows.js';
import type { Units } from './units.js';

/** The tables, and the clock that stands for that of the database. Every method is one statement: nothing comes in between. */
export class MemoryStore {
  readonly jobs = new Map<number, JobRow>();
  readonly nodes = new Map<number, NodeRow>();
  readonly schedules = new Map<number, ScheduleRow>();
  readonly locks = new Map<string, LockRow>();
  readonly pauses = new Set<string>();
  attempts: AttemptRow[] = [];
  logs: LogRow[] = [];
  steps: StepRow[] = [];
  slots: SlotRow[] = [];
  firings: FiringRow[] = [];
  /** Of each type the concurrency key of which a job was claimed last. */
  readonly turns = new Map<string, string>();
  /** Every job that was ever enqueued, also when it is deleted with its end. */
  made: JobRow[] = [];
  private readonly lastIds = new Map<string, number>();

  constructor(
    private readonly clock: { readonly now: () => number },
    private readonly units: Units,
  ) {}

  get now(): number {
    return Math.round(this.clock.now());
  }

  nextId(table: 'job' | 'node' | 'schedule'): number {
    const id = (this.lastIds.get(table) ?? 0) + 1;
    this.lastIds.set(table, id);
    return id;
  }

  add(row: JobRow): void {
    this.jobs.set(row.id, row);
    this.made.push(row);
  }

  undoAdd(row: JobRow): void {
    this.jobs.delete(row.id);
    this.made = this.made.filter((other) => other !== row);
  }

  /** All jobs, and what belongs to them. Schedules stay, and are planned anew: the clock may have been put back. */
  clear(): void {
    this.jobs.clear();
    this.pauses.clear();
    this.locks.clear();
    this.turns.clear();
    Object.assign(this, { made: [], attempts: [], logs: [], steps: [], slots: [], firings: [] });
    for (const schedule of this.schedules.values())
      Object.assign(schedule, {
        planned: undefined,
        next_fire: 0,
        last_fire: 0,
        queued: 0,
        succeeded_at: 0,
        late: false,
      });
  }

  /** Jobs that are committed, in the order of their ids. */
  jobsOf(service: string): JobRow[] {
    return [...this.jobs.values()].filter((row) => row.service === service && !row.hidden);
  }

  job(service: string, id: string): JobRow | undefined {
    const row = this.jobs.get(Number(id));
    return row === undefined || row.service !== service || row.hidden ? undefined : row;
  }

  /** The job while this claim holds it. */
  held({ id, fence }: { readonly id: string; readonly fence: number }): JobRow | undefined {
    const row = this.jobs.get(Number(id));
    return row?.fence === fence && row.state === 'running' ? row : undefined;
  }

  withKey(service: string, type: string, key: string): JobRow | undefined {
    return [...this.jobs.values()].find((row) => row.service === service && row.type === type && row.job_key === key);
  }

  stepsOf(id: number): StepRow[] {
    return this.steps
      .filter((step) => step.job_id === id)
      .sort((a, b) => a.place - b.place || (a.name < b.name ? -1 : 1));
  }

  step(id: number, name: string): StepRow | undefined {
    return this.steps.find((step) => step.job_id === id && step.name === name);
  }

  deleteSteps(id: number, which: (step: StepRow) => boolean = () => true): void {
    this.steps = this.steps.filter((step) => step.job_id !== id || !which(step));
  }

  /** Of one claim there is one row, whoever writes it first. */
  addAttempt(row: AttemptRow): void {
    const isKnown = this.attempts.some(({ job_id, fence }) => job_id === row.job_id && fence === row.fence);
    if (!isKnown) this.attempts.push(row);
  }

  /** What `write` does to a job belongs to the caller's transaction: a rollback undoes it. */
  inside<T>(manager: JobManager | undefined, id: string, write: () => T): T {
    const undo = this.memorise(Number(id));
    void this.units.join(manager, { rollback: undo });
    return write();
  }

  private memorise(id: number): () => void {
    const { jobs } = this;
    const row = jobs.get(id);
    const before = row && { ...row };
    const attempts = this.attempts.filter(({ job_id }) => job_id === id).map((attempt) => ({ ...attempt }));
    const logs = this.logs.filter(({ job_id }) => job_id === id);
    const steps = this.stepsOf(id).map((step) => ({ ...step }));
    return () => {
      if (row !== undefined) jobs.set(id, Object.assign(row, before));
      this.attempts = [...this.attempts.filter(({ job_id }) => job_id !== id), ...attempts];
      this.logs = [...this.logs.filter(({ job_id }) => job_id !== id), ...logs];
      this.steps = [...this.steps.filter(({ job_id }) => job_id !== id), ...steps];
    };
  }
}
