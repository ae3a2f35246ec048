import { InvalidOptionError } from '../errors/invalid-option.error.js';
import { NotTestingError } from '../errors/not-testing.error.js';
import type { Attempt } from '../job/attempt.js';
import type { Job } from '../job/job.js';
import type { JobType } from '../job/job-type.js';
import type { Jsonified } from '../job/jsonified.js';
import { OptionReader } from '../options/option-reader.js';
import { readType } from '../queue/build-job.js';
import type { JobDefinition } from '../queue/job-definition.js';
import type { JobQueue } from '../queue/job-queue.js';
import { parseDuration } from '../support/duration.js';
import { readJob } from '../typeorm/statements/read-jobs.js';
import { toEnqueued, type EnqueuedTestJob } from './enqueued-job.js';
import { expectJobs, expectNoJobs } from './expectation.js';
import type { ExpectedJob } from './expected-job.js';
import type { MemoryStore } from './memory/memory-store.js';
import type { TestAccidents } from './test-accidents.js';
import type { TestClock } from './test-clock.js';
import { Budget, type Errors, type TestRuns } from './test-runs.js';
import type { DrainOptions } from './testing-options.js';

const MOST_RUNS = 10_000;

/**
 * A job whose handler has been called, and which the test has not waited for.
 *
 * @publicApi
 */
export interface StartedTestJob {
  readonly id: string;
  /** Resolves when the handler has settled and what it answered is written, or dropped; also when its process has died by `crash()`. */
  readonly ended: Promise<void>;
}

/** Made by `usePersistentQueueTesting()`. */
export interface TestQueueTools {
  readonly clock: TestClock;
  readonly store: MemoryStore;
  readonly runs: TestRuns;
  readonly accidents: TestAccidents;
  readonly jobQueue: JobQueue;
  readonly service: string;
  readonly errors: Errors;
}

/**
 * The queue as a test sees it: what was enqueued, and what makes it run. Handlers run as in production, with the same retries, steps,
 * outcomes, keys and schedules; jobs are in memory, and nothing runs by itself.
 *
 * @publicApi
 */
export class TestQueue {
  /** Of the queue. Your own code goes on with `Date`. */
  readonly clock: TestClock;

  /** @internal */
  constructor(private readonly tools: TestQueueTools) {
    this.clock = tools.clock;
  }

  /**
   * Runs all that is due, one by one, until nothing is; also what handlers enqueue meanwhile. Answers how many attempts that took. With
   * `until`, the clock moves from one due time to the next.
   *
   * @throws EndlessDrainError when there is no end to it.
   */
  async drain(options: DrainOptions = {}): Promise<number> {
    const reader = new OptionReader('drain()', options, ['until', 'maxRuns', 'errors']);
    const budget = new Budget(reader.integer('maxRuns', MOST_RUNS, 1, 1_000_000_000));
    await this.tools.runs.drain(budget, this.readUntil(options.until), options.errors ?? this.tools.errors);
    return budget.runs;
  }

  /** Runs the job whose turn it is, once. Answers how it stands then; `undefined`: nothing is due. */
  async runNext(): Promise<Job | undefined> {
    const row = await this.tools.runs.runNext(this.tools.errors);
    return row && readJob(row);
  }

  /**
   * Runs one job, once, whatever its time and its turn. Answers how it stands then, also when it was deleted with its end.
   *
   * @throws JobNotFoundError, JobStateError when it is running or has ended.
   */
  async run<Payload = unknown>(id: string): Promise<Job<Payload>> {
    const row = this.tools.runs.waiting(id);
    await this.tools.runs.runRow(row, this.tools.errors);
    return readJob(row) as Job<Payload>;
  }

  /**
   * Calls the handler of one job, and resolves at its first `await`: for what the test does while it runs.
   *
   * @throws as `run()`.
   */
  async start(id: string): Promise<StartedTestJob> {
    const { active, ended } = await this.tools.runs.begin(this.tools.runs.waiting(id));
    await active.entered;
    return { id, ended };
  }

  /**
   * The process dies in the middle of a handler: nothing that the handler still does counts, its signal is not aborted, and the job runs
   * again with the next `drain()`, its crash in its history. Within a handler, that is in a stand-in that the handler calls, it is that
   * handler which dies, and nothing comes back; elsewhere the job that is named, which was begun with `start()`, or all that run.
   *
   * @throws NotTestingError when nothing is running.
   */
  crash(id?: string): Promise<void> {
    return this.tools.accidents.crash(id);
  }

  /**
   * The process was silent for too long: the job runs once more, on another one, to the end of that attempt; then this resolves, and the first
   * handler goes on without knowing. What it answers is dropped. Within a handler it is that one, elsewhere the one that is named.
   *
   * @throws NotTestingError when nothing is running.
   */
  zombie(id?: string): Promise<void> {
    return this.tools.accidents.zombie(id);
  }

  /** What was enqueued since the start or the last `clear()`, oldest first, whatever has become of it. Not what was rolled back. */
  enqueued<Payload>(type: JobDefinition<Payload>): EnqueuedTestJob<Jsonified<Payload>>[];
  enqueued<Payload = unknown>(type?: JobType): EnqueuedTestJob<Payload>[];
  enqueued(type?: JobType | JobDefinition<unknown>): EnqueuedTestJob[] {
    const made = this.tools.store.made.filter(({ hidden }) => !hidden).map((row) => toEnqueued(row));
    return type === undefined ? made : made.filter((job) => job.type === readType(type));
  }

  /**
   * Asserts that a job was enqueued, and answers it, or the first of several.
   *
   * @throws AssertionError of node:assert, whose message shows the difference to what comes nearest, and what was enqueued instead.
   */
  expectEnqueued<Payload>(
    type: JobDefinition<Payload>,
    expected?: ExpectedJob<Jsonified<Payload>>,
  ): EnqueuedTestJob<Jsonified<Payload>>;
  expectEnqueued<Payload = unknown>(type: JobType, expected?: ExpectedJob): EnqueuedTestJob<Payload>;
  expectEnqueued(type: JobType | JobDefinition<unknown>, expected: ExpectedJob = {}): EnqueuedTestJob {
    return expectJobs(this.enqueued(), readType(type), expected, methodOf('expectEnqueued'))[0] as EnqueuedTestJob;
  }

  /** Asserts that no such job was enqueued. @throws AssertionError that lists those that were. */
  expectNotEnqueued<Payload>(type: JobDefinition<Payload>, expected?: ExpectedJob<Jsonified<Payload>>): void;
  expectNotEnqueued(type: JobType, expected?: ExpectedJob): void;
  expectNotEnqueued(type: JobType | JobDefinition<unknown>, expected: ExpectedJob = {}): void {
    expectNoJobs(this.enqueued(), readType(type), expected, methodOf('expectNotEnqueued'));
  }

  /** All jobs as they stand, oldest first. */
  async jobs(): Promise<Job[]> {
    return this.tools.store.jobsOf(this.tools.service).map(readJob);
  }

  /** The attempts of a job, oldest first. */
  history(id: string): Promise<Attempt[]> {
    return this.tools.jobQueue.history(id);
  }

  /** Forgets all jobs and locks, for the next test of an application that goes on. Schedules stay, and begin anew; the clock stays. */
  clear(): void {
    this.tools.store.clear();
  }

  private readUntil(until: DrainOptions['until']): number | undefined {
    if (until === undefined) return undefined;
    if (until instanceof Date) return until.getTime();
    const milliseconds = parseDuration(until);
    if (milliseconds !== undefined) return this.clock.time + milliseconds;
    throw new InvalidOptionError('drain().until', until, "Give a Date, milliseconds, or a string such as '3d'.");
  }
}

/** As it stands in a stack. */
function methodOf(name: 'expectEnqueued' | 'expectNotEnqueued'): (...args: never[]) => unknown {
  const method: unknown = Reflect.get(TestQueue.prototype, name);
  return method as (...args: never[]) => unknown;
}

/** @internal */
export function notPrepared(value: unknown): never {
  throw new NotTestingError(
    'The application was not built with usePersistentQueueTesting()',
    value,
    'Hand the builder of the testing module over before compile(): await usePersistentQueueTesting(Test.createTestingModule(…)).compile().',
  );
}
