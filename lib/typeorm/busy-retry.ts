import { isBusy } from './dialects/sqlite.dialect.js';
import type { RetryPolicy } from './retry-rolled-back.js';

/**
 * SQLite has no queue for its write lock: whoever asks when it is free gets it. Asking every few milliseconds gives a process its
 * share beside one that writes all the time; long waits would starve it. A stopped process may hold the lock for very long.
 */
export const BUSY_RETRY: RetryPolicy = { isRolledBack: isBusy, patience: 60_000, longestWait: 4 };
