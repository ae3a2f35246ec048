import type { ClaimedJob } from '../job/job.js';
import type { Settlement } from '../job/settlement.js';
import type { ClaimAnswer, ClaimRequest } from '../repository/claim-request.js';
import { ClaimSpread } from './claim-spread.js';
import { LimitedClaimer } from './limited-claimer.js';
import { LowWaterMarks, NO_MARKS } from './low-water-marks.js';
import type { Connected, QueueConnection } from './queue-connection.js';
import type { QueueTables } from './queue-tables.js';
import type { Script } from './statement.js';
import { claimJobs, HEAD, placeBehind, type ClaimStart } from './statements/claim-jobs.js';

interface Claimed {
  readonly jobs: readonly ClaimedJob[];
  /** How many were left to other members of a cluster. */
  readonly skipped: number;
}

/** How jobs are claimed on each database: in one statement, or in a transaction, from where the last claim ended. */
export class JobClaimer {
  private readonly marks = new LowWaterMarks();
  private readonly spread = new ClaimSpread();
  private readonly limited = new LimitedClaimer();

  constructor(private readonly connection: QueueConnection) {}

  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    const connected = await this.connection.get();
    const { limits } = request;
    if (limits !== undefined) return this.limited.claim(connected, request, limits, this.marksFor(connected));
    const { jobs, skipped } = await this.claimLevel(connected, request);
    const isAll = jobs.length < request.limit && skipped === 0;
    return { jobs, left: isAll ? 'none' : 'some', freeIn: undefined };
  }

  /** What has been claimed here has come to these ends. */
  ended(settlements: readonly Settlement[]): void {
    this.limited.ended(settlements);
  }

  private async claimLevel(connected: Connected, request: ClaimRequest): Promise<Claimed> {
    const { database, tables } = connected;
    const { claimsByReturning, locksAreLocal } = tables.dialect;
    if (claimsByReturning) return { jobs: await database.run(() => claimJobs(tables, request, HEAD)), skipped: 0 };
    const marks = this.marksFor(connected);
    const from = { due: marks.from(request, performance.now()), id: 0 };
    let tries = 0;
    const claimed = await database.transaction(() => {
      // Nobody else undoes a claim than another member that has claimed the same.
      if (tries++ > 0 && locksAreLocal) this.spread.collided(request);
      return claimBehind(tables, request, from, this.spread.skip(request, request.limit));
    });
    if (tries === 1) this.spread.wentWell(request);
    if (claimed.skipped === 0) marks.advance(request, claimed.jobs, request.limit);
    return claimed;
  }

  private marksFor({ tables }: Connected) {
    return tables.dialect.needsLowWaterMarks ? this.marks : NO_MARKS;
  }
}

/** At the head where the line is shorter, also by what others have claimed behind it: what is left at the head must not wait for them. */
function* claimBehind(tables: QueueTables, request: ClaimRequest, from: ClaimStart, skip: number): Script<Claimed> {
  const place = skip === 0 ? undefined : yield* placeBehind(tables, request, from, skip);
  if (place !== undefined) {
    const jobs = yield* claimJobs(tables, request, place);
    if (jobs.length > 0) return { jobs, skipped: skip };
  }
  return { jobs: yield* claimJobs(tables, request, from), skipped: 0 };
}
