import type { JobState } from './job-state.js';

/** What an operator may do to one job. */
export type JobChange = 'cancel' | 'retry' | 'runNow';

/** The states in which each change is possible; in all others nothing is written. */
export const CHANGEABLE: Readonly<Record<JobChange, readonly JobState[]>> = {
  cancel: ['scheduled', 'waiting', 'running'],
  retry: ['failed', 'cancelled'],
  runNow: ['scheduled', 'waiting'],
};

/** The job as it was when the change was made, or refused. */
export interface ChangedJob {
  readonly type: string;
  readonly priority: number;
  readonly state: JobState;
  readonly changed: boolean;
}
