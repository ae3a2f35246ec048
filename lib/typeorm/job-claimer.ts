import type { ClaimedJob } from '../job/job.js';
import type { ClaimAnswer, ClaimRequest } from '../repository/job-repository.js';
import { LimitedClaimer } from './limited-claimer.js';
import { LowWaterMarks, NO_MARKS } from './low-water-marks.js';
import type { Connected, QueueConnection } from './queue-connection.js';
import { claimJobs } from './statements/claim-jobs.js';

/** How jobs are claimed on each database: in one statement, or in a transaction, from where the last claim ended. */
export class JobClaimer {
  private readonly marks = new LowWaterMarks();
  private readonly limited = new LimitedClaimer();

  constructor(private readonly connection: QueueConnection) {}

  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    const connected = await this.connection.get();
    const { limits } = request;
    if (limits !== undefined) return this.limited.claim(connected, request, limits, this.marksFor(connected));
    const jobs = await this.claimLevel(connected, request);
    return { jobs, left: jobs.length < request.limit ? 'none' : 'some', freeIn: undefined };
  }

  private async claimLevel(connected: Connected, request: ClaimRequest): Promise<ClaimedJob[]> {
    const { database, tables } = connected;
    if (tables.dialect.claimsByReturning) return database.run(() => claimJobs(tables, request, 0));
    const marks = this.marksFor(connected);
    const from = marks.from(request, performance.now());
    const claimed = await database.transaction(() => claimJobs(tables, request, from));
    marks.advance(request, claimed, request.limit);
    return claimed;
  }

  private marksFor({ tables }: Connected) {
    return tables.dialect.needsLowWaterMarks ? this.marks : NO_MARKS;
  }
}
