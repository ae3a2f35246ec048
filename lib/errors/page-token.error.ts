import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * A page token that was not made by this query: continuing another one would skip and repeat jobs.
 *
 * @publicApi
 */
export class PageTokenError extends PersistentQueueError {
  constructor(token: unknown) {
    super(
      PersistentQueueError.compose(
        'The page token does not belong to this query',
        token,
        'Give the `next` of a page that was found with the same filter, or leave it out to begin.',
      ),
    );
  }
}
