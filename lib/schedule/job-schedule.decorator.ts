import { SetMetadata } from '@nestjs/common';
import type { JobHandlerOptions } from '../options/handler-options.js';
import type { ScheduleTiming } from './schedule-options.js';

/** A fixed string, as that of the handlers. */
export const JOB_SCHEDULE_METADATA = 'nestjs-persistent-queue:job-schedules';

/**
 * Options of `@JobSchedule()`: those of the schedule, and of the job type unless the method has a `@JobHandler()` of its own.
 *
 * @publicApi
 */
export interface JobScheduleOptions extends ScheduleTiming, Omit<JobHandlerOptions, 'description'> {
  /**
   * Of the schedule, and of its job type. Name it before you rename the class or method: a new name is a new schedule.
   * @default 'Class.method'
   */
  name?: string;
  /** The `name` of the module whose schedule is meant. By default the module without one. */
  queue?: string;
}

export interface JobScheduleMetadata {
  readonly spec: string;
  readonly options: JobScheduleOptions;
}

/**
 * A method that runs by a schedule, once in the whole cluster for each fire time: of a provider or a controller. It gets the
 * schedule's `payload` and a `JobContext`; with a `@JobHandler()` beside it, it also runs jobs that are enqueued.
 *
 * The schedule is a row of the database from the first start on. What is edited there stays, until the declaration itself changes. When
 * the method is gone, the schedule is disabled with the next start, not deleted.
 *
 * A spec or option that cannot be used is an error when the application starts.
 *
 * @publicApi
 */
export function JobSchedule(spec: string, options: JobScheduleOptions = {}): MethodDecorator {
  return SetMetadata(JOB_SCHEDULE_METADATA, { spec, options } satisfies JobScheduleMetadata);
}
