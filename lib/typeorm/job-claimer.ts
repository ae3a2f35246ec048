import type { ClaimedJob } from '../job/job.js';
import type { ClaimAnswer, ClaimRequest } from '../repository/job-repository.js';
import { LowWaterMarks } from './low-water-marks.js';
import type { QueueConnection } from './queue-connection.js';
import { claimJobs } from './statements/claim-jobs.js';

/** How jobs are claimed on each database: in one statement, or in a transaction, from where the last claim ended. */
export class JobClaimer {
  private readonly marks = new LowWaterMarks();

  constructor(private readonly connection: QueueConnection) {}

  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    const jobs = await this.claimLevel(request);
    return { jobs, left: jobs.length < request.limit ? 'none' : 'some', freeIn: undefined };
  }

  private async claimLevel(request: ClaimRequest): Promise<ClaimedJob[]> {
    const { database, tables } = await this.connection.get();
    if (tables.dialect.claimsByReturning) return database.run(() => claimJobs(tables, request, 0));
    if (!tables.dialect.needsLowWaterMarks) return database.transaction(() => claimJobs(tables, request, 0));
    const from = this.marks.from(request, performance.now());
    const claimed = await database.transaction(() => claimJobs(tables, request, from));
    this.marks.advance(request, claimed, request.limit);
    return claimed;
  }
}
