import { describeShape, describeValue } from './describe-value.js';
import { PersistentQueueError } from './persistent-queue.error.js';

/** In these is what people enqueue: an error's message is logged, and they are not. */
const CONTENTS = new Set(['payload', 'result', 'progress', 'request', 'list']);

/**
 * An enqueue that was refused before anything was written: a type, key, time, priority or payload that cannot be stored.
 *
 * @publicApi
 */
export class InvalidJobError extends PersistentQueueError {
  constructor(
    /** The part of the job that was refused, such as `type`, `key`, `priority` or `payload`. */
    readonly field: string,
    readonly value: unknown,
    cure: string,
    options?: ErrorOptions,
  ) {
    const describe = CONTENTS.has(field) ? describeShape : describeValue;
    super(PersistentQueueError.compose(`The job's ${field} cannot be stored`, value, cure, describe), options);
  }
}
