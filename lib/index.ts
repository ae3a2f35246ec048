export { PersistentQueueModule } from './persistent-queue.module.js';
export { PersistentQueue } from './persistent-queue.js';
export type {
  PersistentQueueAsyncOptions,
  PersistentQueueExtras,
  PersistentQueueOptions,
  QueueRole,
} from './options/module-options.js';
export type { JobHandlerOptions } from './options/handler-options.js';
export type { OperationOptions } from './options/operation-options.js';
export type { Duration } from './support/duration.js';

export { JobHandler, type JobHandlerDecoratorOptions } from './handler/job-handler.decorator.js';
export { JobPayload, JobRef } from './handler/job-parameters.decorator.js';
export { JobArgumentsHost } from './handler/job-arguments-host.js';
export { JobHandlers } from './job-handlers.js';
export { defineJob, type JobDefinition } from './queue/job-definition.js';
export type { Jsonified } from './job/jsonified.js';
export type { StandardSchema } from './job/standard-schema.js';
export type { JobContext, StepOptions } from './job/job-context.js';
export { JobOutcome, type RunAgain } from './job/job-outcome.js';
export type { Backoff } from './job/backoff.js';

export { tableOperation, type TableOperation } from './operation/table-operation.js';
export type { StatusValue, TableColumns, TableOperationOptions } from './operation/table-operation-options.js';
export { Operations } from './operation/operations.js';
export { Operation, type LoadScope, type OperationJob, type RetriedJob, type SettledJob } from './job/operation.js';

export { WithLock, type WithLockOptions } from './lock/with-lock.decorator.js';
export { LockService } from './lock/lock-service.js';
export { Lock } from './lock/lock.js';
export type { LockOptions, LockWaitOptions } from './lock/lock-options.js';
export { LockRepository, type HeldLock, type LockAnswer, type LockRequest } from './lock/lock-repository.js';

export { JobQueue } from './queue/job-queue.js';
export type { JobKey, RestartOptions } from './queue/step-control.js';
export type { JobSteps, StepKind, StepState, StepStatus } from './job/step.js';
export { InjectJobQueue } from './queue/inject-job-queue.decorator.js';
export type { AcknowledgeOptions, FinishOptions } from './queue/acknowledge-options.js';
export type { Acknowledgement, AcknowledgementRefusal } from './job/acknowledgement.js';
export type { EnqueueOptions, JobPage, JobRequest, PageOptions } from './queue/enqueue-options.js';
export type { EnqueuedJob, Job, KeyScope } from './job/job.js';
export type { JobFilter } from './job/job-filter.js';
export type { JobState } from './job/job-state.js';
export type { JobType } from './job/job-type.js';
export type { Attempt, AttemptOutcome, AttemptReason } from './job/attempt.js';
export type { RecordedError } from './support/serialise-error.js';

export { JobStep, MultiStepJob, OnJobFailed, OnJobSucceeded } from './steps/multi-step-job.decorator.js';
export type { JobStepOptions } from './options/step-options.js';
export { Schedules } from './schedule/schedules.js';
export type { ScheduleOptions, ScheduleTiming } from './schedule/schedule-options.js';
export { JobSchedule, type JobScheduleOptions } from './schedule/job-schedule.decorator.js';
export type { Firing, Misfire, Overlap, Schedule } from './job/schedule.js';

export { QueueInspector } from './inspection/queue-inspector.js';
export type { FullNode, HoldReason, JobExplanation } from './inspection/job-explanation.js';
export type { LockStatus, NodeState, NodeStatus, NodeType, OldestDueJob } from './repository/inspection-repository.js';
export type { HandledLimits, HandledType } from './job/handled-type.js';

export type { JobFacts, QueueEvent } from './events/queue-event.js';
export { JobInstrumentation } from './instrumentation/job-instrumentation.js';
export type {
  AttemptConclusion,
  AttemptFacts,
  EnqueueConclusion,
  EnqueueFacts,
  EnqueueObservation,
  JobInstrument,
  JobObservation,
  StepConclusion,
  StepFacts,
} from './instrumentation/job-instrument.js';
export {
  JobRepository,
  type JobCount,
  type JobLogLine,
  type JobManager,
  type KnexTransaction,
  type SqlConnection,
} from './repository/job-repository.js';
export { Poller } from './poller/poller.js';
export { WakeUps, type WakeUpChannel, type WakeUpListener } from './signal/wake-ups.js';
export { WorkerPool } from './worker/worker-pool.js';

export { PersistentQueueError } from './errors/persistent-queue.error.js';
export { DuplicateHandlerError } from './errors/duplicate-handler.error.js';
export { ForeignManagerError } from './errors/foreign-manager.error.js';
export { IncompatibleStepsError } from './errors/incompatible-steps.error.js';
export { InvalidHandlerError } from './errors/invalid-handler.error.js';
export { InvalidJobError } from './errors/invalid-job.error.js';
export { InvalidOptionError } from './errors/invalid-option.error.js';
export { InvalidPayloadError, type PayloadIssue } from './errors/invalid-payload.error.js';
export { InvalidScheduleError } from './errors/invalid-schedule.error.js';
export { InvalidStepError } from './errors/invalid-step.error.js';
export { InvalidLockError } from './errors/invalid-lock.error.js';
export { JobCompletedError } from './errors/job-completed.error.js';
export { JobDeniedError } from './errors/job-denied.error.js';
export { JobNotFoundError } from './errors/job-not-found.error.js';
export { JobStateError } from './errors/job-state.error.js';
export { JobTimeoutError } from './errors/job-timeout.error.js';
export { KeyTakenError } from './errors/key-taken.error.js';
export { LeaseLostError } from './errors/lease-lost.error.js';
export { LockInTransactionError } from './errors/lock-in-transaction.error.js';
export { LockLostError } from './errors/lock-lost.error.js';
export { LockTimeoutError } from './errors/lock-timeout.error.js';
export { MissingRoleError } from './errors/missing-role.error.js';
export { NestedTransactionError } from './errors/nested-transaction.error.js';
export { NoJobManagerError } from './errors/no-job-manager.error.js';
export { NoLockServiceError } from './errors/no-lock-service.error.js';
export { NotRunningError } from './errors/not-running.error.js';
export { OperationHungError } from './errors/operation-hung.error.js';
export { PageTokenError } from './errors/page-token.error.js';
export { PayloadRefusedError } from './errors/payload-refused.error.js';
export { PermanentJobError } from './errors/permanent-job.error.js';
export { ScheduleNotFoundError } from './errors/schedule-not-found.error.js';
export { SchemaError } from './errors/schema.error.js';
export { TransactionUnusableError } from './errors/transaction-unusable.error.js';
export { UnknownOptionError } from './errors/unknown-option.error.js';
export { UnsupportedDatabaseError } from './errors/unsupported-database.error.js';
export { WaitTimeoutError } from './errors/wait-timeout.error.js';
