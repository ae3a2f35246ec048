import { Injectable } from '@nestjs/common';
import type { JobFilter } from '../../job/job-filter.js';
import type { Job } from '../../job/job.js';
import { JobQueue } from '../../queue/job-queue.js';

/** The board counts pages; our pages go on from where the one before has ended. The way to a deep one leads through all before it. */
const DEEPEST = 10_000;
/** Jobs at once, each with a payload of up to 1 MiB. */
const BATCH = 200;

@Injectable()
export class JobPages {
  constructor(private readonly queue: JobQueue) {}

  /** Newest first, from the place `start` to the place `end`; none beyond the first 10,000. */
  async between(filter: JobFilter, start: number, end: number): Promise<Job[]> {
    if (start < 0 || start >= DEEPEST) return [];
    const limit = Math.min(end - start + 1, BATCH);
    let after: string | undefined;
    for (let place = 0; place < start; place += BATCH) {
      const page = await this.queue.find(filter, { limit: Math.min(BATCH, start - place), ...from(after) });
      if (page.next === undefined) return [];
      after = page.next;
    }
    return limit < 1 ? [] : (await this.queue.find(filter, { limit, ...from(after) })).jobs;
  }

  /** Calls `change` with each that matches, a few at a time, and answers how many it was. */
  async each(filter: JobFilter, most: number, change: (job: Job) => Promise<void>): Promise<number> {
    let done = 0;
    let after: string | undefined;
    do {
      const page = await this.queue.find(filter, { limit: Math.min(BATCH, most - done), ...from(after) });
      await Promise.all(page.jobs.map(change));
      done += page.jobs.length;
      after = page.next;
    } while (after !== undefined && done < most);
    return done;
  }
}

function from(after: string | undefined): { after?: string } {
  return after === undefined ? {} : { after };
}
