import type { InjectionToken, ModuleMetadata, Provider } from '@nestjs/common';
import type { JobType } from '../job/job-type.js';
import type { WakeUps } from '../signal/wake-ups.js';
import type { Duration } from '../support/duration.js';
import type { JobHandlerOptions } from './handler-options.js';

/**
 * What a process does. `enqueue`: `JobQueue` accepts jobs. `work`: handlers run. `schedule`: schedules fire. `maintain`: jobs of
 * dead nodes are rescued.
 *
 * @publicApi
 */
export type QueueRole = 'enqueue' | 'work' | 'schedule' | 'maintain';

/**
 * Options of `PersistentQueueModule.forRoot()`, and what a `forRootAsync()` factory answers. All are optional.
 *
 * @publicApi
 */
export interface PersistentQueueOptions {
  /**
   * The namespace of jobs in shared tables: jobs of one service never run on nodes of another.
   * @default 'default'
   */
  serviceName?: string;
  /** The name of the application's TypeORM DataSource. By default the unnamed one. */
  dataSource?: string;
  /**
   * The module's own connections, apart from the application's pool, so that neither can starve the other. One of them is kept
   * for the heartbeat and for renewing locks. SQLite always has one.
   * @default { max: 4 }, with the role 'enqueue' alone { max: 2 }
   */
  connections?: { max?: number };
  /**
   * What this process does.
   * @default ['enqueue', 'work', 'schedule', 'maintain']
   */
  roles?: readonly QueueRole[];
  /** Which of the job types that have a handler here this process runs. By default all. */
  types?: { include?: readonly JobType[]; exclude?: readonly JobType[] };
  /**
   * `false`: nothing runs until the application calls `PersistentQueue.start()`.
   * @default true
   */
  autoStart?: boolean;
  /**
   * Create or upgrade the tables at start. Otherwise a missing or older table is a `SchemaError` that names the command.
   * @default true on SQLite, else false
   */
  synchronize?: boolean;
  /**
   * Begins the name of every table.
   * @default 'pq_'
   */
  tablePrefix?: string;
  /**
   * `table`: a table of locks that other programs use too, as the shedlock of Go: `lock_name`, `lock_until`, `locked_at`, `locked_by`.
   * By default locks are in a table of ours.
   */
  locks?: { table?: string };
  /**
   * Jobs that this process runs at once, all types together.
   * @default 100
   */
  concurrency?: number;
  /** Options per job type that win over the decorator's: configuration. */
  handlers?: Record<string, JobHandlerOptions>;
  /**
   * How often the database is asked for work: `min` while there is some, slower and slower up to `max` when idle.
   * @default { min: '20ms', max: '2s' }
   */
  poll?: { min?: Duration; max?: Duration };
  /**
   * How processes tell each other of new jobs: `'postgres'` (LISTEN and NOTIFY, on one connection more), or what `redisWakeUps()` of
   * `nestjs-persistent-queue/redis` answers. Without it others find a job by polling.
   * @default none
   */
  wakeUps?: 'postgres' | WakeUps;
  /**
   * A node whose heartbeat has been missing for `duration` is dead, and its jobs run elsewhere. It beats every `beat`, in a `thread`
   * of its own, so that a handler that blocks the event loop keeps its jobs: for `hungAfter`, then it counts as hung. That is at least
   * twice the `duration` by default.
   * @default { duration: '15s', beat: '4s', thread: true, hungAfter: '5m' }
   */
  lease?: { duration?: Duration; beat?: Duration; thread?: boolean; hungAfter?: Duration };
  /**
   * How long running handlers may take to end at shutdown; then they are aborted and their jobs released, without using up an attempt.
   * @default '20s'
   */
  shutdownTimeout?: Duration;
  /**
   * How long jobs that have ended, and their attempts, are kept; 0 deletes a job when it ends. Cancelled jobs are kept as failed
   * ones. Per type: `@JobHandler(type, { retention })`.
   * @default { succeeded: '7d', failed: '30d', history: '30d' }
   */
  retention?: { succeeded?: Duration; failed?: Duration; history?: Duration };
  /**
   * The largest payload and the largest result, in bytes of JSON.
   * @default 1048576
   */
  maxPayloadBytes?: number;
  /**
   * Whether global guards, pipes, interceptors and filters (`APP_GUARD` and the like) see jobs: a JWT guard would deny them all.
   * @default false
   */
  globalEnhancers?: boolean;
  /**
   * What the log tells. `errors`: their name and the beginning of their message, or their name alone, because a message may hold what was
   * in a payload. `burst`: lines of one kind in 10 seconds; the others are counted, and told in one line.
   * @default { errors: 'message', burst: 10 }
   */
  logs?: { errors?: 'message' | 'name'; burst?: number };
}

/**
 * What must be known before any factory runs.
 *
 * @publicApi
 */
export interface PersistentQueueExtras {
  /**
   * A second module in one application: `@JobHandler(type, { queue: name })`, `@InjectJobQueue(name)`.
   */
  name?: string;
  /**
   * Whether `JobQueue` can be injected everywhere without importing the module.
   * @default true
   */
  global?: boolean;
  /** Modules whose providers the `overrides` inject. */
  imports?: ModuleMetadata['imports'];
  /** Replaces providers of the module by token, for example `{ provide: JobRepository, useClass: Mine }`. */
  overrides?: Provider[];
}

/**
 * Options of `PersistentQueueModule.forRootAsync()`.
 *
 * @publicApi
 */
export interface PersistentQueueAsyncOptions extends PersistentQueueExtras {
  /** Answers the options; its arguments are the providers named by `inject`. */
  useFactory: (...dependencies: never[]) => PersistentQueueOptions | Promise<PersistentQueueOptions>;
  inject?: InjectionToken[];
}
