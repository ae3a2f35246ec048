import { describeShape, describeValue } from './describe-value.js';
import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * A schedule that cannot be used: names the field, the value, where in the value the fault is, and the cure.
 *
 * @publicApi
 */
export class InvalidScheduleError extends PersistentQueueError {
  constructor(
    /** The schedule's field, such as `spec` or `timeZone`. */
    readonly field: string,
    readonly value: unknown,
    mistake: string,
    cure: string,
    /** Where in a `spec` the fault begins: an index, 0 is the first character. */
    readonly position?: number,
  ) {
    const place = position === undefined ? '' : ` at position ${position}`;
    const describe = field === 'payload' ? describeShape : describeValue;
    const fault = `The schedule's ${field} cannot be used: ${mistake}${place}`;
    super(PersistentQueueError.compose(fault, value, cure, describe));
  }
}
