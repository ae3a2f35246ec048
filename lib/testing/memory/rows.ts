import type { HandledType } from '../../job/handled-type.js';
import type { JobRetention, KeyScope } from '../../job/job.js';
import type { JobState } from '../../job/job-state.js';
import type { NewSchedule } from '../../job/schedule.js';
import type { SlotKind } from '../../repository/inspection-repository.js';
import type { StepKind, StepState } from '../../job/step.js';

/** Rows as the tables have them, with the same names: what reads a row of a database reads these too. Times are UTC epoch milliseconds. */
export type JobRow = {
  readonly id: number;
  readonly service: string;
  readonly type: string;
  readonly priority: number;
  concurrency_key: string;
  readonly key_scope: KeyScope;
  readonly reference: string | null;
  readonly trace_id: string | null;
  readonly max_retries: number | null;
  readonly created_at: number;
  /** As it was enqueued, whatever has become of it since. */
  readonly first_due: number;
  readonly first_payload: string;
  readonly first_deadline: number | null;
  readonly first_retention: JobRetention;
  state: JobState;
  due: number;
  payload: string | null;
  job_key: string | null;
  past_key: string | null;
  deadline: number | null;
  keep_succeeded: number | null;
  keep_failed: number | null;
  finished_at: number;
  delivered_at: number;
  ack_timeout: number;
  retries: number;
  crashes: number;
  max_crashes: number;
  suspect: number;
  fence: number;
  node_id: number;
  started_at: number;
  result: string | null;
  progress: string | null;
  last_error: string | null;
  expires_at: number;
  /** The transaction that has made it is open: nobody sees it, and its key is taken. */
  hidden: boolean;
};

/** What a claim has taken of a limit. */
export type SlotRow = {
  readonly service: string;
  readonly type: string;
  readonly kind: SlotKind;
  readonly slot_key: string;
  readonly n: number;
  readonly job_id: number;
  readonly fence: number;
  readonly taken_at: number;
};

export type AttemptRow = {
  readonly job_id: number;
  readonly fence: number;
  readonly service: string;
  readonly attempt: number;
  readonly node: string;
  readonly started_at: number | null;
  ended_at: number;
  outcome: string;
  reason: string | null;
  error: string | null;
};

export type LogRow = {
  readonly job_id: number;
  readonly fence: number;
  readonly line: number;
  readonly logged_at: number;
  readonly message: string;
};

export type StepRow = {
  readonly job_id: number;
  readonly name: string;
  readonly kind: StepKind;
  readonly parent: string;
  place: number;
  state: StepState;
  attempts: number;
  description: string | null;
  started_at: number;
  ended_at: number;
  wake_at: number;
  context: string | null;
  input: string | null;
  result: string | null;
  error: string | null;
};

export type NodeRow = {
  readonly id: number;
  readonly service: string;
  readonly name: string;
  readonly registered_at: number;
  readonly concurrency: number;
  types: readonly HandledType[];
  state: 'alive' | 'dead' | 'stopped';
  beat_at: number;
  expires_at: number;
};

export type ScheduleRow = {
  readonly id: number;
  readonly service: string;
  given: NewSchedule;
  enabled: boolean;
  gone: boolean;
  /** What was declared, as JSON text; `undefined`: by no code. */
  declared: string | undefined;
  broken: string | undefined;
  /** What its plan was made from; `undefined`: it has none. */
  planned: string | undefined;
  planned_at: number;
  next_fire: number;
  last_fire: number;
  queued: number;
  late: boolean;
  succeeded_at: number;
};

export type FiringRow = {
  readonly schedule_id: number;
  readonly fire_at: number;
  readonly manual: boolean;
  readonly outcome: 'fired' | 'queued' | 'skipped' | 'missed';
  readonly job_id: number;
};

export type LockRow = {
  readonly service: string;
  readonly name: string;
  readonly owner: string;
  fence: number;
  token: string;
  locked_at: number;
  locked_until: number;
};
