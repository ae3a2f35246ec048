/**
 * `alive`: it has beaten within its lease. `silent`: its lease has run out, and nobody has found it dead yet. `dead`: another node has.
 * `stopped`: it has ended in good order.
 *
 * @publicApi
 */
export type NodeState = 'alive' | 'silent' | 'dead' | 'stopped';

/**
 * A node: one incarnation of one process.
 *
 * @publicApi
 */
export interface NodeStatus {
  readonly id: string;
  /** `host:pid#node`, as the history has it. */
  readonly name: string;
  readonly state: NodeState;
  readonly registeredAt: Date;
  /** Its last heartbeat. */
  readonly beatAt: Date;
  /** Types that run there. */
  readonly types: readonly NodeType[];
  /** Running jobs of all types at most. */
  readonly concurrency: number;
  /** Jobs that it has claimed. */
  readonly running: number;
}

/**
 * A type that a node runs.
 *
 * @publicApi
 */
export interface NodeType {
  readonly type: string;
  /** Running jobs of this type at most. */
  readonly concurrency: number;
  /** Jobs of this type that the node has claimed. */
  readonly running: number;
}

/**
 * A lock that somebody has held.
 *
 * @publicApi
 */
export interface LockStatus {
  readonly name: string;
  /** For people: `host:pid`. */
  readonly owner: string;
  readonly fence: number;
  readonly lockedAt: Date;
  readonly lockedUntil: Date;
  /** Whether it has not run out and not been released, by the database's clock. */
  readonly held: boolean;
}

/**
 * The oldest of the jobs of one type that are due and have not begun.
 *
 * @publicApi
 */
export interface OldestDueJob {
  readonly type: string;
  readonly id: string;
  readonly dueAt: Date;
  /** Milliseconds since then, by the database's clock. */
  readonly age: number;
}

/** What only the database knows about one job that has not ended. */
export interface JobSituation {
  /** Node that runs it; `undefined` unless it is running. */
  readonly node: string | undefined;
  /** Milliseconds since it became due, by the database's clock; negative until then. */
  readonly overdue: number;
  /** Its own deadline or its type's has passed: the next claim fails it as expired. */
  readonly expired: boolean;
  /** Its type is paused. */
  readonly paused: boolean;
  /** Due jobs of the type that are claimed before it: counted up to `COUNTED_AHEAD`. */
  readonly ahead: number;
}

export const COUNTED_AHEAD = 10_000;

/** What people and alarms ask of a database, for one service. None of it is on a job's way. */
export abstract class InspectionRepository {
  /** Living ones first, then the latest. Those that ended more than a day ago are gone. */
  abstract nodes(): Promise<NodeStatus[]>;
  /** By name. */
  abstract locks(): Promise<LockStatus[]>;
  /** Sorted. */
  abstract pausedTypes(): Promise<string[]>;
  /** Of each type that has any, the oldest first: one search of an index for each type. */
  abstract oldestDue(): Promise<OldestDueJob[]>;
  /** `undefined`: there is no such job. */
  abstract situation(id: string): Promise<JobSituation | undefined>;
}
