import type { EntityManager, QueryRunner } from 'typeorm';
import type { AcknowledgedJob, AcknowledgeRequest } from '../job/acknowledgement.js';
import type { Attempt } from '../job/attempt.js';
import type { ChangedJob, JobChange } from '../job/job-change.js';
import type { HandledType } from '../job/handled-type.js';
import type { CheckedFilter } from '../job/job-filter.js';
import type { JobNotes } from '../job/job-notes.js';
import type { EnqueuedJob, Job, JobLevel, JobToken, NewJob } from '../job/job.js';
import type { JobState } from '../job/job-state.js';
import type { ClaimAnswer, ClaimRequest } from './claim-request.js';
import type { Settlement } from '../job/settlement.js';

export type { ClaimAnswer, ClaimRequest, ManualClaim } from './claim-request.js';

/**
 * One connection of any other library to the queue's database: of mysql2 or pg, also one taken from a pool, or your own
 * `{ query: (sql, parameters) => … }` around one. It answers rows, `[rows, fields]`, `{ rows }` or `{ affectedRows, insertId }`.
 * Placeholders are `$1` on PostgreSQL and `?` elsewhere. Not a pool: each statement of that may go to another connection.
 *
 * @publicApi
 */
export interface SqlConnection {
  query(sql: string, parameters: unknown[]): unknown;
}

/**
 * A transaction of knex, as `knex.transaction()` hands it out.
 *
 * @publicApi
 */
export interface KnexTransaction {
  /** A `knex` that is no transaction lacks it, and is refused. */
  readonly isTransaction?: boolean;
  raw(sql: string, bindings: unknown[]): unknown;
}

/**
 * The caller's transaction: what `manager` may be.
 *
 * @publicApi
 */
export type JobManager = EntityManager | QueryRunner | SqlConnection | KnexTransaction;

export interface SurveyRequest {
  /** The types this node could run now. */
  readonly types: readonly string[];
  /** Those of them that have concurrency keys. */
  readonly keyed?: readonly string[];
  /** Look for jobs with a concurrency key whose type has none here: they would never be claimed. */
  readonly misfiled?: boolean;
  /** Look for dead nodes too: dearer, so not with every survey. */
  readonly sweep: boolean;
  /** Claims of this node, to be told which of them it has lost. */
  readonly held?: readonly HeldClaim[];
  /** Count the claims the database holds for this node. */
  readonly node?: string | undefined;
  /** Ask about schedules: this node fires them. */
  readonly schedules?: boolean;
}

export interface HeldClaim extends JobToken {
  /** Its handler has `ack: 'manual'`: that the job has ended under this claim means that it was acknowledged, and is no loss. */
  readonly manual?: boolean;
}

/** One look at the queue: one statement, whatever the number of types. */
export interface Survey {
  /** For each type that has waiting jobs, the highest priority among them. */
  readonly ready: readonly JobLevel[];
  /** Milliseconds until the next scheduled job is due: 0 or less when one is. */
  readonly nextDueIn: number | undefined;
  /** A node has missed its heartbeat, or a job is running on a node that is not alive. */
  readonly orphans: boolean;
  /** Types without concurrency keys that have waiting jobs with one. */
  readonly misfiled: readonly string[];
  readonly paused: readonly string[];
  /** Held claims that are over: cancelled, or given to another node. */
  readonly lost: readonly JobToken[];
  /** Claims of the node that was asked about; 0 when none was. */
  readonly claims: number;
  /** Milliseconds until something has to be done about a schedule: 0 or less when it has. `undefined`: nothing, or it was not asked. */
  readonly nextScheduleIn: number | undefined;
}

/** A start that is told to the database: milliseconds ago, because only the database's clock is stored. */
export interface StartedJob extends JobToken {
  readonly ago: number;
}

export interface NotedJob extends JobToken {
  readonly notes: JobNotes;
}

export interface RetriedBatch {
  readonly retried: number;
  /** Where the next batch begins; `undefined` when there is none. */
  readonly last: string | undefined;
}

/** `removed: false`: it is in this state, and was left alone. */
export interface RemovedJob {
  readonly state: JobState;
  readonly removed: boolean;
}

export interface RemovedBatch {
  readonly removed: number;
  /** As `RetriedBatch.last`. */
  readonly last: string | undefined;
}

export interface NodeDescription {
  /** For people: `host:pid`. */
  readonly name: string;
  /** Running jobs of all types at most. */
  readonly concurrency: number;
  /** Job types that run there. */
  readonly types: readonly HandledType[];
}

export interface RescuedJob extends JobToken {
  readonly type: string;
  readonly state: 'waiting' | 'failed';
}

/**
 * A line that a handler has logged with `job.log()`.
 *
 * @publicApi
 */
export interface JobLogLine {
  /** The claim that logged it: see `Attempt.fence`. */
  readonly fence: number;
  readonly at: Date;
  readonly message: string;
}

/**
 * The number of jobs of one type in one state.
 *
 * @publicApi
 */
export interface JobCount {
  readonly type: string;
  readonly state: JobState;
  readonly count: number;
}

/**
 * Everything the engine asks of a database, for one service. Every time is the database's, every write about a claim carries its
 * fence, and what carries an older fence changes nothing: the ids of such writes are answered as lost.
 *
 * @publicApi
 */
export abstract class JobRepository {
  /** Connects and checks the tables. Throws `UnsupportedDatabaseError` or `SchemaError`. May be called again. */
  abstract open(): Promise<void>;
  abstract close(): Promise<void>;

  /** All or none. With a manager the rows belong to the caller's transaction, which stays usable when a key is taken. */
  abstract insert(
    jobs: readonly NewJob[],
    manager?: JobManager,
    onProgress?: (done: number) => void,
  ): Promise<EnqueuedJob[]>;

  abstract survey(request: SurveyRequest): Promise<Survey>;
  /** Turns due scheduled jobs into waiting ones; answers how many. */
  abstract promote(limit: number): Promise<number>;
  /**
   * Takes due jobs of one level, oldest due first, raises their fences and gives them to the node, if that is alive. Of a type with limits
   * no more than have free slots; jobs that nobody has filed yet are filed.
   */
  abstract claim(request: ClaimRequest): Promise<ClaimAnswer>;
  /** Takes their concurrency keys from waiting jobs of a type that has none any more; answers how many. */
  abstract unfile(type: string, limit: number): Promise<number>;
  /** Answers the ids that were not this claim's any more. */
  abstract recordStarts(starts: readonly StartedJob[]): Promise<string[]>;
  /** Writes down progress and log lines of claims that are still held. */
  abstract recordNotes(noted: readonly NotedJob[]): Promise<void>;
  /** Ends claims and writes their history, all in one transaction. Answers the ids that were not this claim's any more. */
  abstract settle(settlements: readonly Settlement[], node: string): Promise<string[]>;
  /**
   * Ends one claim inside the caller's transaction, and locks its row until that ends. `false`: it was not this claim's any more, or
   * has been ended already; the transaction must be rolled back.
   */
  abstract settleIn(manager: EntityManager, settlement: Settlement, node: string): Promise<boolean>;
  /**
   * What is told about a job whose handler has `ack: 'manual'`; its row is locked until the caller's transaction ends. `undefined`: there
   * is no such job.
   */
  abstract acknowledge(
    id: string,
    request: AcknowledgeRequest,
    manager?: JobManager,
  ): Promise<AcknowledgedJob | undefined>;
  /** Every claim the database holds for a node: after a claim whose answer was lost, some may be unknown to the node itself. */
  abstract claimsOf(node: string): Promise<JobToken[]>;

  /** Answers the id of a new node, alive. */
  abstract registerNode(node: NodeDescription): Promise<string>;
  /** It runs other types from now on. */
  abstract setTypes(node: string, types: readonly HandledType[]): Promise<void>;
  /** `false`: the node is dead. It must let go of everything and register anew. */
  abstract beat(node: string): Promise<boolean>;
  /** Ends a node: its remaining jobs may be rescued at once. */
  abstract retireNode(node: string): Promise<void>;
  /** Marks nodes without a heartbeat dead, then takes the jobs of all nodes that are not alive away from them. */
  abstract rescue(limit: number): Promise<RescuedJob[]>;

  /** Types that have waiting jobs and no living node that runs them: the first few of them. */
  abstract unhandledTypes(): Promise<string[]>;
  /** Services, of all that share the tables, that have waiting jobs and no living node: the first few of them. */
  abstract unhandledServices(): Promise<string[]>;

  /** Does one thing to one job, if its state allows it. `undefined`: there is no such job. */
  abstract change(id: string, change: JobChange): Promise<ChangedJob | undefined>;
  abstract retryBatch(filter: CheckedFilter, after: string, limit: number): Promise<RetriedBatch>;
  /** Deletes a job that has ended, and everything that is kept of it. `undefined`: there is no such job. */
  abstract remove(id: string): Promise<RemovedJob | undefined>;
  /** The same to those that match and have ended. */
  abstract removeBatch(filter: CheckedFilter, after: string, limit: number): Promise<RemovedBatch>;
  abstract pause(type: string): Promise<void>;
  abstract resume(type: string): Promise<void>;

  /** Deletes up to `limit` of each: jobs and attempts whose retention has passed, forgotten rows. Answers how many of that of which there were most. */
  abstract prune(limit: number): Promise<number>;

  abstract find(filter: CheckedFilter, limit: number, before: string | undefined): Promise<Job[]>;
  abstract get(id: string): Promise<Job | undefined>;
  abstract history(id: string): Promise<Attempt[]>;
  abstract log(id: string): Promise<JobLogLine[]>;
  abstract counts(): Promise<JobCount[]>;
}
