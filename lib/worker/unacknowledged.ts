import { PermanentJobError } from '../errors/permanent-job.error.js';
import type { ActiveJob } from './active-job.js';

/** Only a delivery that nobody acknowledged uses up more retries than there are: nobody knew then how many the handler's type has. */
export function unacknowledged({ job, handler }: ActiveJob): PermanentJobError {
  const { ackTimeout = 0 } = handler.options;
  return new PermanentJobError(
    `Handled ${job.retries} times, and not acknowledged within ackTimeout (${ackTimeout} ms) after the last time: ` +
      'the consumer must call jobQueue.finish(), or processing() while it needs longer.',
  );
}
