import { Injectable } from '@nestjs/common';
import { filter } from 'rxjs';
import { JobNotFoundError } from '../errors/job-not-found.error.js';
import { WaitTimeoutError } from '../errors/wait-timeout.error.js';
import { QueueEvents } from '../events/queue-events.js';
import type { Job } from '../job/job.js';
import { JobRepository } from '../repository/job-repository.js';
import { InterruptibleSleep } from '../support/interruptible-sleep.js';

const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 1_000;

/** Waits for a job's end, wherever it runs: told by this process's events, and by looking, less and less often. */
@Injectable()
export class JobWaiter {
  constructor(
    private readonly repository: JobRepository,
    private readonly events: QueueEvents,
  ) {}

  async waitFor(id: string, timeout: number): Promise<Job> {
    const giveUpAt = performance.now() + timeout;
    const rest = new InterruptibleSleep();
    let pause = FIRST_PAUSE;
    const subscription = this.events.events$
      .pipe(filter((event) => 'job' in event && event.job.id === id))
      .subscribe(() => {
        // The event comes a moment before the row is written.
        pause = FIRST_PAUSE;
        rest.wake();
      });
    try {
      for (;;) {
        const job = await this.look(id);
        if (job.finishedAt !== undefined) return job;
        const left = giveUpAt - performance.now();
        if (left <= 0) throw new WaitTimeoutError(id, job.state, timeout);
        await rest.sleep(Math.min(pause, left));
        pause = Math.min(pause * 2, LONGEST_PAUSE);
      }
    } finally {
      subscription.unsubscribe();
    }
  }

  private async look(id: string): Promise<Job> {
    const job = await this.repository.get(id);
    if (job === undefined) throw new JobNotFoundError(id);
    return job;
  }
}
