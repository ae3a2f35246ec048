import { Injectable } from '@nestjs/common';
import { JobNotFoundError } from '../errors/job-not-found.error.js';
import { JobStateError } from '../errors/job-state.error.js';
import { QueueEvents } from '../events/queue-events.js';
import { ENDED_STATES } from '../job/job-state.js';
import { CHANGEABLE, type ChangedJob, type JobChange } from '../job/job-change.js';
import type { JobFilter } from '../job/job-filter.js';
import { JobRepository } from '../repository/job-repository.js';
import { WakeSignal } from '../signal/wake-signal.js';
import { checkFilter } from './check-filter.js';

/** Small, so that the locks of a batch are short. */
const BATCH = 500;

const PAST: Record<JobChange, string> = { cancel: 'cancelled', retry: 'retried', runNow: 'run now' };

/** What an operator does to jobs that are there already. */
@Injectable()
export class JobControl {
  constructor(
    private readonly repository: JobRepository,
    private readonly wakeSignal: WakeSignal,
    private readonly events: QueueEvents,
  ) {}

  async change(id: string, change: JobChange): Promise<ChangedJob> {
    const job = await this.repository.change(id, change);
    if (job === undefined) throw new JobNotFoundError(id);
    if (!job.changed) throw new JobStateError(id, job.state, PAST[change], CHANGEABLE[change]);
    if (change !== 'cancel') this.wakeSignal.notify([{ type: job.type, priority: job.priority }]);
    return job;
  }

  async retryAll(filter: JobFilter): Promise<number> {
    const checked = checkFilter(filter);
    let retried = 0;
    for (let after: string | undefined = '0'; after !== undefined;) {
      const batch = await this.repository.retryBatch(checked, after, BATCH);
      retried += batch.retried;
      after = batch.last;
      this.events.emit({ name: 'retry.progress', retried });
      this.wakeSignal.notify([]);
    }
    return retried;
  }

  async remove(id: string): Promise<void> {
    const job = await this.repository.remove(id);
    if (job === undefined) throw new JobNotFoundError(id);
    if (!job.removed) throw new JobStateError(id, job.state, 'removed', ENDED_STATES);
  }

  async removeAll(filter: JobFilter): Promise<number> {
    const checked = checkFilter(filter);
    let removed = 0;
    for (let after: string | undefined = '0'; after !== undefined;) {
      const batch = await this.repository.removeBatch(checked, after, BATCH);
      removed += batch.removed;
      after = batch.last;
      this.events.emit({ name: 'remove.progress', removed });
    }
    return removed;
  }

  async resume(type: string): Promise<void> {
    await this.repository.resume(type);
    this.wakeSignal.notify([]);
  }
}
