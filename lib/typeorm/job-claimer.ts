import type { ClaimedJob } from '../job/job.js';
import type { ClaimAnswer, ClaimRequest } from '../repository/job-repository.js';
import { ClaimSpread } from './claim-spread.js';
import { LowWaterMarks } from './low-water-marks.js';
import type { QueueConnection } from './queue-connection.js';
import type { QueueTables } from './queue-tables.js';
import type { Script } from './statement.js';
import { claimJobs, placeBehind, type ClaimStart } from './statements/claim-jobs.js';

const HEAD: ClaimStart = { due: 0, id: 0 };

/** How jobs are claimed on each database: in one statement, or in a transaction, from where the last claim ended. */
export class JobClaimer {
  private readonly marks = new LowWaterMarks();
  private readonly spread = new ClaimSpread();

  constructor(private readonly connection: QueueConnection) {}

  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    const { jobs, skipped } = await this.claimLevel(request);
    const isAll = jobs.length < request.limit && skipped === 0;
    return { jobs, left: isAll ? 'none' : 'some', freeIn: undefined };
  }

  private async claimLevel(request: ClaimRequest): Promise<Claimed> {
    const { database, tables } = await this.connection.get();
    const { claimsByReturning, needsLowWaterMarks, locksAreLocal } = tables.dialect;
    const atHead = () => claimJobs(tables, request, HEAD);
    if (claimsByReturning) return { jobs: await database.run(atHead), skipped: 0 };
    if (!needsLowWaterMarks) return { jobs: await database.transaction(atHead), skipped: 0 };
    const from = { due: this.marks.from(request, performance.now()), id: 0 };
    let tries = 0;
    const claimed = await database.transaction(() => {
      // Nobody else undoes a claim than another member that has claimed the same.
      if (tries++ > 0 && locksAreLocal) this.spread.collided(request);
      return claimBehind(tables, request, from, this.spread.skip(request, request.limit));
    });
    if (tries === 1) this.spread.wentWell(request);
    if (claimed.skipped === 0) this.marks.advance(request, claimed.jobs, request.limit);
    return claimed;
  }
}

interface Claimed {
  readonly jobs: ClaimedJob[];
  /** How many were left to others. */
  readonly skipped: number;
}

/** At the head where the line is shorter. */
function* claimBehind(tables: QueueTables, request: ClaimRequest, from: ClaimStart, skip: number): Script<Claimed> {
  const place = skip === 0 ? undefined : yield* placeBehind(tables, request, from, skip);
  return { jobs: yield* claimJobs(tables, request, place ?? from), skipped: place === undefined ? 0 : skip };
}
