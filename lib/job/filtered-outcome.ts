import type { JobOutcome } from './job-outcome.js';

/** An exception filter has made an outcome of an error. Thrown, because what the handler has written in its transaction must not stay. */
export class FilteredOutcome extends Error {
  constructor(readonly outcome: JobOutcome) {
    super('An exception filter has answered with a JobOutcome');
    this.name = 'FilteredOutcome';
  }
}
