import type { JobState as BoardState, QueueJob, QueueJobJson } from '@bull-board/api/typings/app';
import { UnsupportedActionError } from '../../errors/unsupported-action.error.js';
import type { Attempt } from '../../job/attempt.js';
import type { JobState } from '../../job/job-state.js';
import type { Job } from '../../job/job.js';
import type { PayloadView } from '../payload-view.js';
import { tellAttempt, tellError } from './tell-error.js';

/** Under which name the board shows each state. It has none for cancelled jobs: they are among the failed ones, and say so. */
export const STATUS_OF = {
  scheduled: 'delayed',
  waiting: 'waiting',
  running: 'active',
  succeeded: 'completed',
  failed: 'failed',
  cancelled: 'failed',
} as const satisfies Record<JobState, BoardState>;

/** What can be done to one job. */
export interface JobActions {
  promote(job: Job): Promise<void>;
  retry(job: Job): Promise<void>;
  remove(job: Job): Promise<void>;
}

/** A job in the form of the board, without anything that must not leave the server. */
export class BoardJob implements QueueJob {
  readonly id: string;
  readonly opts: Record<string, unknown>;

  constructor(
    private readonly job: Job,
    private readonly payloads: PayloadView,
    private readonly actions: JobActions,
    /** Oldest first; `undefined` in a list, where only the last error is known. */
    private readonly history?: readonly Attempt[],
  ) {
    this.id = job.id;
    this.opts = optionsOf(job);
  }

  toJSON(): QueueJobJson {
    const { job } = this;
    const last = this.history?.at(-1);
    return {
      id: job.id,
      name: job.state === 'cancelled' ? `${job.type} (cancelled)` : job.type,
      timestamp: job.createdAt.getTime(),
      delay: delayOf(job),
      processedOn: last?.startedAt?.getTime() ?? null,
      processedBy: last?.node ?? null,
      finishedOn: job.finishedAt?.getTime() ?? null,
      attemptsMade: this.attemptsMade(),
      priority: job.priority,
      failedReason: failedReasonOf(job),
      stacktrace: this.stacks(),
      opts: this.opts,
      progress: this.shown('progress', job.progress ?? undefined) ?? 0,
      data: this.shown('payload', job.payload),
      returnvalue: this.shown('result', job.result) ?? null,
    };
  }

  getState(): Promise<BoardState> {
    return Promise.resolve(STATUS_OF[this.job.state]);
  }

  promote(): Promise<void> {
    return this.actions.promote(this.job);
  }

  retry(): Promise<void> {
    return this.actions.retry(this.job);
  }

  remove(): Promise<void> {
    return this.actions.remove(this.job);
  }

  /** The board looks for this method, and would answer that it has changed the payload when there is none. */
  updateData(): Promise<void> {
    const cure = 'Enqueue another job: what a job was asked to do stays as it was.';
    return Promise.reject(new UnsupportedActionError('Changing the payload of a job', this.id, cure));
  }

  private shown(field: 'payload' | 'result' | 'progress', value: unknown): unknown {
    return this.payloads.show(value, { id: this.job.id, type: this.job.type, field });
  }

  private attemptsMade(): number {
    const { retries, state } = this.job;
    const counted = this.history?.reduce((most, { attempt }) => Math.max(most, attempt), 0);
    return counted ?? retries + (state === 'succeeded' || state === 'failed' ? 1 : 0);
  }

  /** Oldest first: the board turns them round. */
  private stacks(): string[] {
    if (this.history !== undefined) return this.history.filter(({ error }) => error !== undefined).map(tellAttempt);
    return this.job.lastError === undefined ? [] : [tellError(this.job.lastError)];
  }
}

/** Named as those of `enqueue()`, because the board copies them when it duplicates a job. */
function optionsOf({ priority, key, reference, traceId, deadline, ...job }: Job): Record<string, unknown> {
  const options = { priority, delay: delayOf(job), key, reference, traceId, deadline: deadline?.toISOString() };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== 0));
}

/** Of one that waits for its time. */
function delayOf({ state, dueAt, createdAt }: Pick<Job, 'state' | 'dueAt' | 'createdAt'>): number {
  return state === 'scheduled' ? Math.max(0, dueAt.getTime() - createdAt.getTime()) : 0;
}

function failedReasonOf({ state, lastError }: Job): string {
  const error = lastError === undefined ? '' : `${lastError.name}: ${lastError.message}`;
  if (state !== 'cancelled') return error;
  return error === '' ? 'Cancelled' : `Cancelled. Its last error: ${error}`;
}
