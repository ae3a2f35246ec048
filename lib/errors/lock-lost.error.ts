import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * The reason of `lock.signal` when the lock is not this holder's any more, or may not be; and what `lock.extend()` throws then.
 *
 * @publicApi
 */
export class LockLostError extends PersistentQueueError {
  constructor(
    readonly lock: string,
    readonly fence: number,
    readonly why: 'taken away' | 'not renewed' | 'shutdown' | 'released',
  ) {
    super(PersistentQueueError.compose(...TEXTS[why](`'${lock}' with fence ${fence}`)));
  }
}

const STOP = 'Stop the work, and let every write outside of this process carry the fence.';

const TEXTS = {
  'taken away': (lock: string) => [
    'The lock had run out when it was to be renewed, or its row was changed',
    lock,
    STOP,
  ],
  'not renewed': (lock: string) => ['The lock could not be renewed in time: somebody else may hold it', lock, STOP],
  shutdown: (lock: string) => ['This process is shutting down: the lock is renewed no more and runs out', lock, STOP],
  released: (lock: string) => ['The lock has been released', lock, 'Acquire it anew.'],
} as const satisfies Record<string, (lock: string) => [mistake: string, value: string, cure: string]>;
