import { BaseAdapter } from '@bull-board/api/dist/queueAdapters/base.js';
import type {
  AppJobScheduler,
  JobCleanStatus,
  JobCounts,
  JobSchedulerRepeatOptions,
  JobSchedulerUpdateResult,
  JobStatus,
  QueueJob,
  QueueJobOptions,
  QueueMetrics,
  QueueWorker,
  Status,
} from '@bull-board/api/typings/app';
import { UnsupportedActionError } from '../../errors/unsupported-action.error.js';
import type { BoardQueue } from './board-queue.js';

const STATUSES: JobStatus[] = ['active', 'waiting', 'completed', 'failed', 'delayed'];

/** One job type, as a queue of the board. What it cannot do here says so: the board shows the message. */
export class JobTypeAdapter extends BaseAdapter {
  constructor(
    private readonly jobType: string,
    private readonly queue: BoardQueue,
    readOnlyMode: boolean,
  ) {
    // 'bullmq' is what the board lets edit and run schedules. A succeeded job is run again by restart(), from a step.
    super('bullmq', {
      readOnlyMode,
      allowCompletedRetries: false,
      externalJobUrl: ({ id }) => ({ displayText: 'Why?', href: `inspect/?job=${encodeURIComponent(String(id))}` }),
    });
  }

  override get supportsJobSchedulerUpdate(): boolean {
    return true;
  }

  override get supportsJobSchedulerRun(): boolean {
    return true;
  }

  getName(): string {
    return this.jobType;
  }

  getStatuses(): Status[] {
    return ['latest', ...STATUSES];
  }

  getJobStatuses(): JobStatus[] {
    return STATUSES;
  }

  getJobCounts(): Promise<JobCounts> {
    return this.queue.counts(this.jobType);
  }

  getJobs(statuses: JobStatus[], start = 0, end = 0): Promise<QueueJob[]> {
    return this.queue.jobs(this.jobType, statuses, start, end);
  }

  getJob(id: string): Promise<QueueJob | undefined> {
    return this.queue.job(this.jobType, id);
  }

  getJobLogs(id: string): Promise<string[]> {
    return this.queue.logs(this.jobType, id);
  }

  addJob(_name: string, data: unknown, options: QueueJobOptions): Promise<QueueJob> {
    return this.queue.add(this.jobType, data, options);
  }

  isPaused(): Promise<boolean> {
    return this.queue.isPaused(this.jobType);
  }

  pause(): Promise<void> {
    return this.queue.pause(this.jobType);
  }

  resume(): Promise<void> {
    return this.queue.resume(this.jobType);
  }

  promoteAll(): Promise<void> {
    return this.queue.promoteAll(this.jobType);
  }

  retryAll(): Promise<number> {
    return this.queue.retryAll(this.jobType);
  }

  clean(status: JobCleanStatus, graceMs: number): Promise<void> {
    return this.queue.clean(this.jobType, status, graceMs);
  }

  override getWorkers(): Promise<QueueWorker[]> {
    return this.queue.workers(this.jobType);
  }

  getJobSchedulers(): Promise<Omit<AppJobScheduler, 'queueName'>[]> {
    return this.queue.schedules(this.jobType);
  }

  async getJobSchedulersCount(): Promise<number> {
    return (await this.getJobSchedulers()).length;
  }

  updateJobScheduler(id: string, repeat: JobSchedulerRepeatOptions): Promise<JobSchedulerUpdateResult> {
    return this.queue.updateSchedule(this.jobType, id, repeat);
  }

  removeJobScheduler(id: string): Promise<boolean> {
    return this.queue.removeSchedule(this.jobType, id);
  }

  runJobSchedulerNow(id: string): Promise<QueueJob | 'not-found'> {
    return this.queue.runSchedule(this.jobType, id);
  }

  /** Of Redis and PostgreSQL the board knows what to show; of other databases nothing, so that it is switched off for all. */
  getRedisInfo(): Promise<null> {
    return Promise.resolve(null);
  }

  getMetrics(): Promise<QueueMetrics> {
    return Promise.resolve({ meta: { count: 0, prevTS: 0, prevCount: 0 }, data: [], count: 0 });
  }

  /** None: each handler has its own, on each node. */
  getGlobalConcurrency(): Promise<null> {
    return Promise.resolve(null);
  }

  setGlobalConcurrency(concurrency: number): Promise<void> {
    const cure = 'Set `concurrency` of the handler: it counts on each node.';
    return Promise.reject(new UnsupportedActionError('A concurrency of all nodes together', concurrency, cure));
  }

  empty(): Promise<void> {
    const cure = 'Cancel its jobs; `clean` deletes those that have ended.';
    return Promise.reject(new UnsupportedActionError('Emptying a job type', this.jobType, cure));
  }

  obliterate(): Promise<void> {
    const cure = 'Pause it, cancel its jobs, and clean what has ended.';
    return Promise.reject(new UnsupportedActionError('Obliterating a job type', this.jobType, cure));
  }
}
