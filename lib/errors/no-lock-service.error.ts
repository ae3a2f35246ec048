import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * A method with `@WithLock()` was called on an instance that Nest has not made: there is nothing to lock with.
 *
 * @publicApi
 */
export class NoLockServiceError extends PersistentQueueError {
  constructor(
    /** `Class.method`. */
    readonly method: string,
  ) {
    super(
      PersistentQueueError.compose(
        '@WithLock() needs an instance that Nest has made, because it gets its LockService injected',
        method,
        'List the class as a provider or a controller, and not by useFactory or useValue; or call LockService.using() in the method.',
      ),
    );
  }
}
