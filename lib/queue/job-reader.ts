import type { Attempt } from '../job/attempt.js';
import type { Job } from '../job/job.js';
import type { JobFilter } from '../job/job-filter.js';
import type { JobCount, JobLogLine, JobRepository } from '../repository/job-repository.js';
import type { JobPage, PageOptions } from './enqueue-options.js';
import { findPage } from './find-page.js';

/**
 * What `JobQueue` answers about jobs as they stand.
 *
 * @publicApi
 */
export abstract class JobReader {
  protected constructor(protected readonly repository: JobRepository) {}

  /** The job as it stands, or `undefined` when there is none with this id (any more) in this service. */
  get<Payload = unknown>(id: string): Promise<Job<Payload> | undefined> {
    return this.repository.get(id) as Promise<Job<Payload> | undefined>;
  }

  /** The job's attempts, oldest first. An attempt that is running is not among them yet. */
  history(id: string): Promise<Attempt[]> {
    return this.repository.history(id);
  }

  /** How many jobs there are of each type in each state. Reads every row of the service: for people, not for every request. */
  counts(): Promise<JobCount[]> {
    return this.repository.counts();
  }

  /** What the handler has logged with `job.log()`, oldest first. */
  log(id: string): Promise<JobLogLine[]> {
    return this.repository.log(id);
  }

  /**
   * Jobs by filter, newest first, in pages: give `after` the `next` of the page before. `limit`: 1 to 1,000, default 100.
   *
   * @throws UnknownOptionError, InvalidOptionError for a filter that cannot be used.
   * @throws PageTokenError for a token of another filter.
   */
  async find(filter: JobFilter = {}, options: PageOptions = {}): Promise<JobPage> {
    return findPage(this.repository, filter, options);
  }
}
