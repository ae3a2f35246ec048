import type { JobFilter } from '../job/job-filter.js';
import { OptionReader } from '../options/option-reader.js';
import type { JobRepository } from '../repository/job-repository.js';
import { checkFilter, pageToken, readPageToken } from './check-filter.js';
import type { JobPage, PageOptions } from './enqueue-options.js';

/** Throws before anything is asked of the database, when the filter, the limit or the page token cannot be used. */
export async function findPage(repository: JobRepository, filter: JobFilter, options: PageOptions): Promise<JobPage> {
  const checked = checkFilter(filter);
  const page = new OptionReader('the page options', options, ['limit', 'after']);
  const limit = page.integer('limit', 100, 1, 1_000);
  const before = options.after === undefined ? undefined : readPageToken(checked, options.after);
  const jobs = await repository.find(checked, limit, before);
  const last = jobs.at(-1);
  return { jobs, next: last === undefined || jobs.length < limit ? undefined : pageToken(checked, last.id) };
}
