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
  return new ActiveJobContext(active, transaction, manager);
}

/** A class, because one is made for each attempt: an object with accessors of its own costs ten times as much. */
class ActiveJobContext implements JobContext {
  readonly id: string;
  readonly type: string;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly key: string | undefined;
  readonly reference: string | undefined;
  readonly traceId: string | undefined;
  readonly dueAt: Date;
  readonly createdAt: Date;
  /** Functions of their own: handlers may take them out of the context. */
  readonly log: JobContext['log'];
  readonly progress: JobContext['progress'];
  readonly #active: ActiveJob;
  readonly #manager: EntityManager | undefined;

  constructor(
    active: ActiveJob,
    readonly transaction: JobContext['transaction'],
    manager: EntityManager | undefined,
  ) {
    const { id, type, key, reference, traceId, due, created } = active.job;
    this.id = id;
    this.type = type;
    this.attempt = active.attempt;
    this.maxAttempts = active.handler.options.maxRetries + 1;
    this.key = key;
    this.reference = reference;
    this.traceId = traceId;
    this.dueAt = new Date(due);
    this.createdAt = new Date(created);
    this.log = (message) => active.notes.log(message);
    this.progress = (value) => active.notes.tell(serialiseProgress(value));
    this.#active = active;
    this.#manager = manager;
  }

  get signal(): AbortSignal {
    return this.#active.signal;
  }

  /** Not enumerable: whoever copies or prints the context does not ask for a manager. */
  get manager(): EntityManager {
    if (this.#manager === undefined) throw new NoJobManagerError(this.type);
    return this.#manager;
  }
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
