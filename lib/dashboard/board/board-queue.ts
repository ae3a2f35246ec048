import type {
  AppJobScheduler,
  JobCleanStatus,
  JobCounts,
  JobSchedulerRepeatOptions,
  JobSchedulerUpdateResult,
  JobStatus,
  QueueJob,
  QueueJobOptions,
  QueueWorker,
} from '@bull-board/api/typings/app';
import { Injectable } from '@nestjs/common';
import { JobNotFoundError } from '../../errors/job-not-found.error.js';
import { UnsupportedActionError } from '../../errors/unsupported-action.error.js';
import type { Attempt } from '../../job/attempt.js';
import type { JobState } from '../../job/job-state.js';
import type { Job } from '../../job/job.js';
import { JobQueue } from '../../queue/job-queue.js';
import { DashboardReads } from '../dashboard-reads.js';
import { PayloadView } from '../payload-view.js';
import { BoardFacts } from './board-facts.js';
import { BoardJob } from './board-job.js';
import { BoardJobActions } from './board-job-actions.js';
import { BoardSchedules } from './board-schedules.js';
import { tellLog } from './tell-log.js';

const STATES_OF: Partial<Record<JobStatus, readonly JobState[]>> = {
  delayed: ['scheduled'],
  waiting: ['waiting'],
  active: ['running'],
  completed: ['succeeded'],
  failed: ['failed', 'cancelled'],
};

/** What the board asks about a job type, and does to it. */
@Injectable()
export class BoardQueue {
  constructor(
    private readonly queue: JobQueue,
    private readonly facts: BoardFacts,
    private readonly actions: BoardJobActions,
    private readonly boardSchedules: BoardSchedules,
    private readonly payloads: PayloadView,
    private readonly reads: DashboardReads,
  ) {}

  async counts(type: string): Promise<JobCounts> {
    const counted = Object.entries(STATES_OF).map(
      async ([status, states]) => [status, await this.facts.count(type, ...states)] as const,
    );
    return Object.fromEntries(await Promise.all(counted)) as JobCounts;
  }

  async jobs(type: string, statuses: readonly JobStatus[], start: number, end: number): Promise<QueueJob[]> {
    const state = statuses.flatMap((status) => STATES_OF[status] ?? []);
    if (state.length === 0) return [];
    const jobs = await this.facts.jobs(type, state, start, end);
    return jobs.map((job) => new BoardJob(job, this.payloads, this.actions));
  }

  /** `undefined` for one of another type: its name is in the address. */
  async job(type: string, id: string): Promise<BoardJob | undefined> {
    const job = await this.find(type, id);
    return job && new BoardJob(job, this.payloads, this.actions, await this.history(id));
  }

  async logs(type: string, id: string): Promise<string[]> {
    if ((await this.find(type, id)) === undefined) return [];
    const lines = await this.reads.inTurn(() => this.queue.log(id));
    return tellLog(lines, await this.history(id));
  }

  async add(type: string, data: unknown, options: QueueJobOptions): Promise<QueueJob> {
    const id = await this.actions.add(type, data, options);
    return (await this.job(type, id)) ?? lost(id);
  }

  isPaused(type: string): Promise<boolean> {
    return this.facts.isPaused(type);
  }

  pause(type: string): Promise<void> {
    return this.changing(() => this.queue.pause(type));
  }

  resume(type: string): Promise<void> {
    return this.changing(() => this.queue.resume(type));
  }

  promoteAll(type: string): Promise<void> {
    return this.actions.promoteAll(type);
  }

  /** Failed ones; a cancelled one was ended on purpose. Answers how many. */
  retryAll(type: string): Promise<number> {
    return this.changing(() => this.queue.retry({ type, state: 'failed' }));
  }

  clean(type: string, status: JobCleanStatus, graceMs: number): Promise<void> {
    if (status !== 'completed' && status !== 'failed') {
      const cure = 'Jobs that have not ended are not deleted together: cancel them one by one.';
      throw new UnsupportedActionError('Cleaning jobs in this state', status, cure);
    }
    const finishedUntil = new Date(Date.now() - graceMs);
    return this.changing(async () => {
      await this.queue.remove({ type, state: STATES_OF[status] ?? [], finishedUntil });
    });
  }

  async workers(type: string): Promise<QueueWorker[]> {
    const nodes = await this.facts.nodesFor(type);
    return nodes.map(({ id, name, registeredAt }) => ({
      id,
      name: null,
      addr: name,
      age: Math.round((Date.now() - registeredAt.getTime()) / 1_000),
    }));
  }

  async schedules(type: string): Promise<Omit<AppJobScheduler, 'queueName'>[]> {
    return (await this.facts.schedulesOf(type)).map((schedule) => this.boardSchedules.show(schedule));
  }

  updateSchedule(type: string, name: string, repeat: JobSchedulerRepeatOptions): Promise<JobSchedulerUpdateResult> {
    return this.changing(() => this.boardSchedules.update(name, type, repeat));
  }

  removeSchedule(type: string, name: string): Promise<boolean> {
    return this.changing(() => this.boardSchedules.remove(name, type));
  }

  async runSchedule(type: string, name: string): Promise<QueueJob | 'not-found'> {
    const id = await this.changing(() => this.boardSchedules.runNow(name, type));
    return id === undefined ? 'not-found' : ((await this.job(type, id)) ?? lost(id));
  }

  private async find(type: string, id: string): Promise<Job | undefined> {
    const job = await this.reads.inTurn(() => this.queue.get(id));
    return job?.type === type ? job : undefined;
  }

  private history(id: string): Promise<Attempt[]> {
    return this.reads.inTurn(() => this.queue.history(id));
  }

  private async changing<T>(change: () => Promise<T>): Promise<T> {
    try {
      return await change();
    } finally {
      this.facts.outdate();
    }
  }
}

/** A retention of 0 has deleted it already. */
function lost(id: string): never {
  throw new JobNotFoundError(id);
}
