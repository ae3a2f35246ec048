import type { EntityManager } from 'typeorm';
import { InvalidJobError } from '../errors/invalid-job.error.js';
import { NoJobManagerError } from '../errors/no-job-manager.error.js';
import type { JobContext } from '../job/job-context.js';
import { serialiseJson } from '../support/serialise-json.js';
import type { ActiveJob } from './active-job.js';

const LARGEST_PROGRESS = 8_000;

/** What the handler sees of its job. `manager`: that of a transactional handler. */
export function createContext(
  active: ActiveJob,
  transaction: JobContext['transaction'],
  manager?: EntityManager,
): JobContext {
  const { id, type, key, reference, traceId, due, created } = active.job;
  const context = {
    id,
    type,
    attempt: active.attempt,
    maxAttempts: active.handler.options.maxRetries + 1,
    key,
    reference,
    traceId,
    dueAt: new Date(due),
    createdAt: new Date(created),
    get signal() {
      return active.signal;
    },
    log: (message: string) => active.notes.log(message),
    progress: (value: unknown) => active.notes.tell(serialiseProgress(value)),
    transaction,
  };
  // Not enumerable: whoever copies or prints the context does not ask for a manager.
  return Object.defineProperty(context, 'manager', {
    get() {
      if (manager === undefined) throw new NoJobManagerError(type);
      return manager;
    },
  }) as JobContext;
}

function serialiseProgress(value: unknown): string {
  const json = serialiseJson(value);
  if (json.length <= LARGEST_PROGRESS) return json;
  throw new InvalidJobError(
    'progress',
    value,
    `Tell at most ${LARGEST_PROGRESS} characters of JSON (it has ${json.length}).`,
  );
}
