import { InvalidJobError } from '../../errors/invalid-job.error.js';
import { InvalidOptionError } from '../../errors/invalid-option.error.js';
import { InvalidPayloadError } from '../../errors/invalid-payload.error.js';
import { InvalidScheduleError } from '../../errors/invalid-schedule.error.js';
import { JobNotFoundError } from '../../errors/job-not-found.error.js';
import { JobStateError } from '../../errors/job-state.error.js';
import { KeyTakenError } from '../../errors/key-taken.error.js';
import { ScheduleNotFoundError } from '../../errors/schedule-not-found.error.js';
import { UnknownOptionError } from '../../errors/unknown-option.error.js';
import { UnsupportedActionError } from '../../errors/unsupported-action.error.js';

type ErrorClass = abstract new (...args: never[]) => Error;

const STATUSES = new Map<ErrorClass, number>([
  [InvalidJobError, 400],
  [InvalidOptionError, 400],
  [InvalidPayloadError, 400],
  [InvalidScheduleError, 400],
  [UnknownOptionError, 400],
  // Of an address that is not encoded as it should be.
  [URIError, 400],
  [JobNotFoundError, 404],
  [ScheduleNotFoundError, 404],
  [UnsupportedActionError, 405],
  [JobStateError, 409],
  [KeyTakenError, 409],
]);

/** Of an error that whoever asked can do something about; `undefined`: it is for those who look after the application. */
export function statusOf(error: unknown): number | undefined {
  for (const [type, status] of STATUSES) if (error instanceof type) return status;
  // Of Express, for a body or an address that cannot be read.
  const status: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'status') : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}
