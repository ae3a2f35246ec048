import { Injectable } from '@nestjs/common';
import type { JobFilter } from '../../job/job-filter.js';
import type { Job } from '../../job/job.js';
import type { JobPage } from '../../queue/enqueue-options.js';
import { JobQueue } from '../../queue/job-queue.js';
import { DashboardReads } from '../dashboard-reads.js';

/** The board counts pages; our pages go on from where the one before has ended. The way to a deep one leads through all before it. */
const DEEPEST = 10_000;
/** On one page of the board: its settings offer 300. */
const LONGEST = 1_000;
/** Jobs at once, each with a payload of up to 1 MiB. */
const BATCH = 200;

@Injectable()
export class JobPages {
  constructor(
    private readonly queue: JobQueue,
    private readonly reads: DashboardReads,
  ) {}

  /** Newest first, from the place `start` to the place `end`; at most 1,000, and none beyond the first 10,000. All of it is one turn. */
  async between(filter: JobFilter, start: number, end: number): Promise<Job[]> {
    const beyond = Math.min(end + 1, start + LONGEST, DEEPEST);
    if (start < 0 || start >= beyond) return [];
    const jobs: Job[] = [];
    let after: string | undefined;
    for (let place = 0; place < beyond; place += BATCH) {
      const page = await this.page(filter, Math.min(BATCH, beyond - place), after);
      jobs.push(...page.jobs.slice(Math.max(0, start - place)));
      if (page.next === undefined) break;
      after = page.next;
    }
    return jobs;
  }

  /** Calls `change` with each that matches, a few at a time, and answers how many it was. */
  async each(filter: JobFilter, most: number, change: (job: Job) => Promise<void>): Promise<number> {
    let done = 0;
    let after: string | undefined;
    do {
      const page = await this.reads.inTurn(() => this.page(filter, Math.min(BATCH, most - done), after));
      await Promise.all(page.jobs.map(change));
      done += page.jobs.length;
      after = page.next;
    } while (after !== undefined && done < most);
    return done;
  }

  private page(filter: JobFilter, limit: number, after: string | undefined): Promise<JobPage> {
    return this.queue.find(filter, { limit, ...(after === undefined ? {} : { after }) });
  }
}
