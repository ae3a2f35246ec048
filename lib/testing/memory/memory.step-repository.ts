import type { EntityManager } from 'typeorm';
import type { DueTime, JobToken } from '../../job/job.js';
import type { JobSteps, PlannedStep, SavedStep, StepEnd, StepPlace } from '../../job/step.js';
import type { ResolvedOptions } from '../../options/resolved-options.js';
import { StepRepository, type RestartedJob, type StepAnswer, type WhichJob } from '../../repository/step-repository.js';
import type { RecordedError } from '../../support/serialise-error.js';
import { readJobSteps, readSavedStep } from '../../typeorm/statements/read-steps.js';
import type { MemoryStore } from './memory-store.js';
import type { Arrivals } from './memory.job-repository.js';
import { restartRow } from './restart-row.js';
import type { StepRow } from './rows.js';
import { newStep, planRows } from './step-rows.js';

export class MemoryStepRepository extends StepRepository {
  constructor(
    private readonly store: MemoryStore,
    private readonly options: ResolvedOptions,
    private readonly arrivals: Arrivals = () => undefined,
  ) {
    super();
  }

  async load(id: string): Promise<SavedStep[]> {
    return this.rows(id).map(readSavedStep);
  }

  async save(token: JobToken, end: StepEnd): Promise<StepAnswer> {
    return this.write(token, end);
  }

  async saveIn(manager: EntityManager, token: JobToken, end: StepEnd): Promise<StepAnswer> {
    return this.store.inside(manager, token.id, () => this.write(token, end));
  }

  async plan(token: JobToken, steps: readonly PlannedStep[]): Promise<boolean> {
    const row = this.store.held(token);
    if (row !== undefined) planRows(this.store, row.id, steps);
    return row !== undefined;
  }

  async report(token: JobToken, error: RecordedError): Promise<boolean> {
    const row = this.store.held(token);
    if (row !== undefined) row.last_error = JSON.stringify(error);
    return row !== undefined;
  }

  async sleep(token: JobToken, step: StepPlace, wake: DueTime): Promise<number | undefined> {
    const { store } = this;
    const row = store.held(token);
    if (row === undefined) return undefined;
    const wake_at = 'at' in wake ? wake.at : store.now + wake.delay;
    if (store.step(row.id, step.name) === undefined)
      store.steps.push(newStep({ job_id: row.id, ...step, state: 'sleeping', started_at: store.now, wake_at }));
    return (store.step(row.id, step.name)?.wake_at ?? 0) - store.now;
  }

  async list(id: string): Promise<JobSteps> {
    const job = this.store.job(this.options.serviceName, id);
    return readJobSteps(job === undefined ? [] : this.rows(id).map((row) => ({ ...row, job_state: job.state })));
  }

  async restart(which: WhichJob, fromStep: string, context: string | undefined): Promise<RestartedJob | undefined> {
    const { serviceName } = this.options;
    const row =
      'id' in which ? this.store.job(serviceName, which.id) : this.store.withKey(serviceName, which.type, which.key);
    if (row === undefined) return undefined;
    const restarted = restartRow(this.store, row, fromStep, context);
    if (restarted.refusal === undefined) await this.arrivals([row]);
    return restarted;
  }

  private rows(id: string): (StepRow & { time_left: number })[] {
    return this.store.stepsOf(Number(id)).map((row) => ({ ...row, time_left: row.wake_at - this.store.now }));
  }

  private write(token: JobToken, end: StepEnd): StepAnswer {
    const { store } = this;
    const job = store.held(token);
    if (job === undefined) return 'lost';
    const saved = store.step(job.id, end.name);
    if (saved?.state === 'succeeded') return 'succeeded before';
    const { name, kind, parent, place, state, attempts } = end;
    const row = saved ?? newStep({ job_id: job.id, name, kind, parent, place });
    const before = (time: number) => store.now - Math.max(0, Math.round(performance.now() - time));
    Object.assign(row, {
      state,
      attempts,
      started_at: before(end.startedAt),
      ended_at: before(end.endedAt),
      context: end.context ?? null,
      result: end.result ?? null,
      error: end.error === undefined ? null : JSON.stringify(end.error),
    });
    if (saved === undefined) store.steps.push(row);
    return 'saved';
  }
}
