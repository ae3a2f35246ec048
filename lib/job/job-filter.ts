import type { JobState } from './job-state.js';
import type { JobType } from './job-type.js';

/**
 * Which jobs are meant; every field narrows. An empty filter means all jobs of the service.
 *
 * @publicApi
 */
export interface JobFilter {
  type?: JobType | { readonly type: string };
  state?: JobState | readonly JobState[];
  key?: string;
  reference?: string;
  /** Created at this time or later, by the database's clock. */
  createdFrom?: Date;
  /** Created before this time. */
  createdUntil?: Date;
  /** Ended before this time: open jobs are none of these. */
  finishedUntil?: Date;
}

/** A filter that has been checked. Times are UTC epoch milliseconds. */
export interface CheckedFilter {
  readonly type: string | undefined;
  readonly states: readonly JobState[] | undefined;
  readonly key: string | undefined;
  readonly reference: string | undefined;
  readonly createdFrom: number | undefined;
  readonly createdUntil: number | undefined;
  readonly finishedUntil: number | undefined;
}
