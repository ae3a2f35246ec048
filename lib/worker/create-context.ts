import type { EntityManager } from 'typeorm';
import { InvalidJobError } from '../errors/invalid-job.error.js';
import { InvalidStepError } from '../errors/invalid-step.error.js';
import { NoJobManagerError } from '../errors/no-job-manager.error.js';
import type { JobContext, StepOptions } from '../job/job-context.js';
import type { StepKeeper } from '../steps/step-keeper.js';
import { StepJournal, type StepWork } from '../steps/step-journal.js';
import { readDuration, readTime, readTransactional } from '../steps/read-step-arguments.js';
import { serialiseJson } from '../support/serialise-json.js';
import type { ActiveJob } from './active-job.js';

const LARGEST_PROGRESS = 8_000;

type Attempts = Pick<JobContext, 'attempt' | 'maxAttempts'>;

/** What the handler sees of its job. `payload`: of a step, the context object. `manager`: that of a transactional one. `attempts`: those of a step, which are its own. */
export function createContext(
  active: ActiveJob,
  payload: unknown,
  transaction: JobContext['transaction'],
  keeper: StepKeeper,
  manager?: EntityManager,
  attempts?: Attempts,
): JobContext {
  return new ActiveJobContext(active, payload, transaction, keeper, manager, attempts);
}

/** A class, because one is made for each attempt: an object with accessors of its own costs ten times as much. */
class ActiveJobContext implements JobContext {
  readonly id: string;
  readonly type: string;
  readonly delivery: number;
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
  readonly #keeper: StepKeeper;
  readonly #manager: EntityManager | undefined;

  constructor(
    active: ActiveJob,
    readonly payload: unknown,
    readonly transaction: JobContext['transaction'],
    keeper: StepKeeper,
    manager: EntityManager | undefined,
    attempts: Attempts | undefined,
  ) {
    const { id, type, fence, key, reference, traceId, due, created } = active.job;
    this.id = id;
    this.type = type;
    this.delivery = fence;
    this.attempt = attempts?.attempt ?? active.attempt;
    this.maxAttempts = attempts?.maxAttempts ?? active.maxRetries + 1;
    this.key = key;
    this.reference = reference;
    this.traceId = traceId;
    this.dueAt = new Date(due);
    this.createdAt = new Date(created);
    this.log = (message) => active.notes.log(message);
    this.progress = (value) => active.notes.tell(serialiseProgress(value));
    this.#active = active;
    this.#keeper = keeper;
    this.#manager = manager;
  }

  get signal(): AbortSignal {
    return this.#active.signal;
  }

  /** Made when they are asked for, as functions of their own: most handlers have no steps. */
  get step(): JobContext['step'] {
    const journal = this.#journal();
    return async (name: string, work: StepWork<unknown>, options?: StepOptions) =>
      (await journal.run(name, work, readTransactional(name, options ?? {}))) as never;
  }

  get sleep(): JobContext['sleep'] {
    const journal = this.#journal();
    return async (name, duration) => journal.sleep(name, { delay: readDuration(name, duration) });
  }

  get sleepUntil(): JobContext['sleepUntil'] {
    const journal = this.#journal();
    return async (name, time) => journal.sleep(name, { at: readTime(name, time) });
  }

  #journal(): StepJournal {
    refuseSteps(this.#active);
    this.#active.steps ??= new StepJournal(this.#active, this.#keeper);
    return this.#active.steps;
  }

  /** Not enumerable: whoever copies or prints the context does not ask for a manager. */
  get manager(): EntityManager {
    if (this.#manager === undefined) throw new NoJobManagerError(this.type);
    return this.#manager;
  }
}

function refuseSteps({ job, home }: ActiveJob): void {
  if (home.keepsSteps) return;
  const cure = 'Let the row enqueue a job, and give that the steps.';
  throw new InvalidStepError('job.step()', job.type, 'has no place: the job is a row of a table of yours', cure);
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
