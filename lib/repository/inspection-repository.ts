import type { HandledType } from '../job/handled-type.js';
import type { Job } from '../job/job.js';

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
export interface NodeType extends HandledType {
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

/** A job, and what only the database knows about it. */
export interface JobSituation {
  readonly job: Job;
  /** Node that has claimed it, be it that it is gone; `undefined` unless it is running. */
  readonly node: Pick<NodeStatus, 'name' | 'state'> | undefined;
  /** Its handler has been called in that claim, as far as it has been told. */
  readonly started: boolean;
  /** Its latest claim has left an attempt in the history. */
  readonly recorded: boolean;
  /** It was running on a node that died: see `ClaimedJob`. */
  readonly suspect: boolean;
  /** Milliseconds since it became due, by the database's clock; negative until then. */
  readonly overdue: number;
  /** The deadline that is written on it has passed: its own, or after its first claim its type's. */
  readonly expired: boolean;
  /** Its type is paused. */
  readonly paused: boolean;
  /** Due jobs of the type, and of its concurrency key, that are claimed before it: counted up to `COUNTED_AHEAD`. */
  readonly ahead: number;
  /** Its concurrency key is known: a claim of a type with keys takes no others, but finds out what theirs are. */
  readonly filed: boolean;
  /** Slots of its type and of its key that are taken. */
  readonly slots: readonly TakenSlot[];
}

/** A slot of a limit: a running job has it or, of a rate, the latest job that took it. */
export interface TakenSlot {
  readonly kind: SlotKind;
  /** From 1: what is above the limit is left over from a higher one. */
  readonly n: number;
  readonly takenAt: Date;
  /** Milliseconds since then, by the database's clock. */
  readonly age: number;
}

export type SlotKind = 'type' | 'key' | 'rate';

export const COUNTED_AHEAD = 10_000;

/** What people and alarms ask of a database, for one service. None of it is on a job's way. */
export abstract class InspectionRepository {
  /** Living ones first, then the latest. Those that ended more than a day ago are gone. */
  abstract nodes(): Promise<NodeStatus[]>;
  /** By name. */
  abstract locks(): Promise<LockStatus[]>;
  /** Sorted. */
  abstract pausedTypes(): Promise<string[]>;
  /** Of each type that has one, the oldest first: one search of an index for each type. */
  abstract oldestDue(): Promise<OldestDueJob[]>;
  /** As of one moment, but for what is ahead of it. `undefined`: there is no such job. */
  abstract situation(id: string): Promise<JobSituation | undefined>;
}
