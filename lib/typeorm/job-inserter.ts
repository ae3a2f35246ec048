import type { EnqueuedJob, NewJob } from '../job/job.js';
import type { JobManager } from '../repository/job-repository.js';
import type { Callers } from './callers.js';
import { InsertMerger } from './insert-merger.js';
import type { QueueConnection } from './queue-connection.js';
import { insertJobs, isOneInsert } from './statements/insert-jobs.js';

/** Where new jobs are written: in the caller's transaction, in one of their own, or together with the jobs of other callers. */
export class JobInserter {
  private readonly merger: InsertMerger;
  private isConnectionLost: (error: unknown) => boolean = () => true;

  constructor(
    private readonly callers: Callers,
    private readonly connection: QueueConnection,
  ) {
    this.merger = new InsertMerger(
      (jobs) => this.insertOwn(jobs),
      (error) => this.isConnectionLost(error),
    );
  }

  async insert(
    jobs: readonly NewJob[],
    manager: JobManager | undefined,
    onProgress?: (done: number) => void,
  ): Promise<EnqueuedJob[]> {
    if (manager !== undefined) return this.insertInto(manager, jobs, onProgress);
    const [first] = jobs;
    // A key may be taken: that is answered job by job.
    const mayMerge = jobs.length === 1 && first !== undefined && first.key === undefined;
    return mayMerge ? [await this.merger.insert(first)] : this.insertOwn(jobs, onProgress);
  }

  private async insertInto(manager: JobManager, jobs: readonly NewJob[], onProgress?: (done: number) => void) {
    const connected = await this.connection.get();
    return this.callers.run(manager, connected, () => insertJobs(connected.tables, jobs, onProgress));
  }

  private async insertOwn(jobs: readonly NewJob[], onProgress?: (done: number) => void): Promise<EnqueuedJob[]> {
    const { database, tables } = await this.connection.get();
    this.isConnectionLost = tables.dialect.isConnectionLost;
    const script = () => insertJobs(tables, jobs, onProgress);
    // One statement needs no transaction around it: two round trips less for each enqueue.
    return isOneInsert(tables, jobs) ? database.run(script, { once: true }) : database.transaction(script);
  }
}
