/** Where a check begins to warn, and where to call it an error. Durations are milliseconds. */
interface Threshold {
  readonly warning: number;
  readonly error: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** What a process calculates by its own clock, as the time of `enqueueAt()`, is wrong by this. A minute is the step of cron. */
export const CLOCK_SKEW: Threshold = { warning: SECOND, error: MINUTE };

/** Of the connections that the server has. A deployment has two generations of processes for a while. */
export const CONNECTIONS_USED: Threshold = { warning: 0.8, error: 0.95 };

/** The default of `connections.max`, and the heartbeat's thread. */
export const OWN_CONNECTIONS = 5;

/** A node that is silent, or dead with jobs, is found by the others within 20 seconds: after a minute nobody looks. */
export const NODE_SILENCE: Threshold = { warning: 0, error: MINUTE };

/** How long a job may wait though it is due: whoever waits for it notices after minutes, and after an hour it is an outage. */
export const OLDEST_DUE: Threshold = { warning: 5 * MINUTE, error: HOUR };

/** Due jobs are made ready with every poll, at most 2 seconds apart by default; schedules fire as often. */
export const UNATTENDED = MINUTE;

/** Of the jobs that have ended: what fails now and then does so in one of a hundred. */
export const FAILED_SHARE: Threshold = { warning: 0.05, error: 0.5 };
export const FAILURES_WITHIN = 24 * HOUR;
/** More are not counted: by then the share is known. */
export const MOST_ENDS = 10_000;

/**
 * Versions of rows. A claim walks over the entries of jobs that have ended until they are removed: at a hundred thousand it takes
 * noticeably longer, at a million the disk fills as well.
 */
export const HISTORY_LENGTH: Threshold = { warning: 100_000, error: 1_000_000 };

/** Ours end within 5 seconds. At a thousand jobs a second, a minute is sixty thousand dead entries that nothing can remove. */
export const LONG_TRANSACTION: Threshold = { warning: MINUTE, error: 15 * MINUTE };

/** Dead rows against all rows of a table: autovacuum begins at a fifth, so that a half means that it does not keep up. */
export const DEAD_ROWS: Threshold = { warning: 0.5, error: 0.95 };
/** Fewer cost nothing, whatever their share. */
export const LEAST_DEAD_ROWS = 10_000;

const MIB = 1_024 * 1_024;
/** In bytes. SQLite empties it at 4 MiB, unless somebody reads all the time. */
export const LOG_SIZE: Threshold = { warning: 64 * MIB, error: 1_024 * MIB };
/** In bytes: more would keep the file's other users waiting, whose cache goes as well. */
export const LARGEST_CHECKED = 512 * MIB;
/** Of the file, if it is larger than `LEAST_FREE` bytes. */
export const FREE_SHARE = 0.5;
export const LEAST_FREE = 64 * MIB;
