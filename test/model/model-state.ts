import type { JobState } from '../../lib/job/job-state.js';
import type { JobToken, KeyScope } from '../../lib/job/job.js';

/** A row of pq_job, as far as the model knows it. */
export interface ModelJob {
  readonly id: string;
  readonly type: string;
  readonly priority: number;
  readonly keyScope: KeyScope;
  state: JobState;
  due: number;
  fence: number;
  node: string | null;
  started: boolean;
  deadline: number | null;
  retries: number;
  crashes: number;
  maxCrashes: number;
  suspect: boolean;
  finished: boolean;
  /** Its latest handler has `ack: 'manual'`. */
  manual: boolean;
  /** That handler has returned. */
  delivered: boolean;
  expiresAt: number | null;
  key: string | null;
  pastKey: string | null;
  payload: string | null;
}

/** A row of pq_attempt. */
export interface ModelAttempt extends JobToken {
  readonly attempt: number;
  readonly node: string;
  readonly outcome: string;
  readonly reason: string | null;
}

export interface ModelNode {
  readonly id: string;
  readonly name: string;
  readonly types: readonly string[];
  state: 'alive' | 'dead' | 'stopped';
  expiresAt: number;
}

/** What a worker remembers of a claim, for as long as it likes: also when the claim has long been lost. */
export interface ModelClaim extends JobToken {
  readonly type: string;
  readonly retries: number;
  readonly manual: boolean;
}

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** The service's options, which the model must know too. */
export const LEASE = HOUR;
export const KEEP_SUCCEEDED = 7 * DAY;
export const KEEP_FAILED = 30 * DAY;
export const KEEP_HISTORY = 30 * DAY;
export const KEEP_NODES = DAY;

/** Longer than any sequence takes, shorter than any delay: what is nearer to now than this is now. */
export const SOON = HOUR / 6;

export const ENDED: readonly JobState[] = ['succeeded', 'failed', 'cancelled'];

export function newJob(id: string, fields: Pick<ModelJob, 'type' | 'payload' | 'state' | 'due'>): ModelJob {
  return {
    id,
    priority: 0,
    keyScope: 'row',
    fence: 0,
    node: null,
    started: false,
    deadline: null,
    retries: 0,
    crashes: 0,
    maxCrashes: 3,
    suspect: false,
    finished: false,
    manual: false,
    delivered: false,
    expiresAt: null,
    key: null,
    pastKey: null,
    ...fields,
  };
}
