import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * A package that only a part of this library needs, which was asked for, is not installed.
 *
 * @publicApi
 */
export class MissingPeerError extends PersistentQueueError {
  constructor(
    /** The package. */
    readonly peer: string,
    /** What needs it. */
    readonly part: string,
    options?: ErrorOptions,
  ) {
    const cure = `Install it: npm install ${peer}`;
    super(PersistentQueueError.compose(`${part} needs a package that is not installed`, peer, cure), options);
  }
}
