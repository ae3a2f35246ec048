import { CommandRefusedError } from '../errors/command-refused.error.js';
import { InvalidJobError } from '../errors/invalid-job.error.js';
import { InvalidOptionError } from '../errors/invalid-option.error.js';
import { InvalidScheduleError } from '../errors/invalid-schedule.error.js';
import { JobNotFoundError } from '../errors/job-not-found.error.js';
import { JobStateError } from '../errors/job-state.error.js';
import { KeyTakenError } from '../errors/key-taken.error.js';
import { PageTokenError } from '../errors/page-token.error.js';
import { ScheduleNotFoundError } from '../errors/schedule-not-found.error.js';
import { UnknownOptionError } from '../errors/unknown-option.error.js';
import { UsageError } from '../errors/usage.error.js';

/** `interrupted` is what shells say of a program that ended by Ctrl-C. */
export const EXIT = { done: 0, no: 1, usage: 2, database: 3, interrupted: 130 } as const;

const NO = [CommandRefusedError, JobNotFoundError, JobStateError, KeyTakenError, ScheduleNotFoundError];
const USAGE = [
  UsageError,
  InvalidJobError,
  InvalidOptionError,
  InvalidScheduleError,
  PageTokenError,
  UnknownOptionError,
];

/** What is none of ours comes from a driver or a server. */
export function exitCodeOf(error: unknown): number {
  if (NO.some((kind) => error instanceof kind)) return EXIT.no;
  return USAGE.some((kind) => error instanceof kind) ? EXIT.usage : EXIT.database;
}
