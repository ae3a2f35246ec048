import { describeShape } from './describe-value.js';
import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * An option that does not exist; the message names the nearest one that does.
 *
 * @publicApi
 */
export class UnknownOptionError extends PersistentQueueError {
  constructor(
    readonly owner: string,
    readonly option: string,
    value: unknown,
    known: readonly string[],
    nearest: string | undefined,
  ) {
    const cure = nearest === undefined ? `Known options: ${known.join(', ')}.` : `Did you mean '${nearest}'?`;
    // It may be a password, or a URL with one.
    super(PersistentQueueError.compose(`Unknown option '${option}' in ${owner}`, value, cure, describeShape));
  }
}
