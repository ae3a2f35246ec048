import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { PermanentJobError } from '../errors/permanent-job.error.js';
import type { ClaimedJob } from '../job/job.js';
import type { Settlement } from '../job/settlement.js';
import { NodeLease } from '../node/node-lease.js';
import { JobRepository } from '../repository/job-repository.js';
import { ClaimHome } from './claim-home.js';
import { Completer } from './completer.js';
import { StartRecorder } from './start-recorder.js';

/** The jobs of our own table, which this node has leased. */
@Injectable()
export class JobTableHome extends ClaimHome {
  readonly keepsSteps = true;

  constructor(
    private readonly repository: JobRepository,
    private readonly starts: StartRecorder,
    private readonly completer: Completer,
    private readonly lease: NodeLease,
  ) {
    super();
  }

  get isEmpty(): boolean {
    return this.completer.isEmpty;
  }

  payloadOf(job: ClaimedJob): unknown {
    return parsePayload(job);
  }

  /**
   * A job that has been in a crash tells the database before it starts, so that the next crash can be held against it. For the
   * others that would cost a commit each.
   */
  starting(job: ClaimedJob): boolean | Promise<boolean> {
    if (job.suspect) return this.recordStart(job);
    this.starts.started(job, performance.now());
    return true;
  }

  ended(job: ClaimedJob): void {
    this.starts.ended(job);
  }

  completed(settlement: Settlement): void {
    this.completer.wasEnded(settlement);
  }

  settle(settlement: Settlement): void {
    this.completer.settle(settlement);
  }

  settleIn(manager: EntityManager, settlement: Settlement): Promise<boolean> {
    return this.repository.settleIn(manager, settlement, this.lease.name);
  }

  private async recordStart({ id, fence }: ClaimedJob): Promise<boolean> {
    const lost = await this.repository.recordStarts([{ id, fence, ago: 0 }]);
    return lost.length === 0;
  }
}

/** Plain SQL is a producer: its payload may be anything. */
export function parsePayload({ payload }: ClaimedJob): unknown {
  if (payload === null) return null;
  try {
    return JSON.parse(payload);
  } catch (cause) {
    return new PermanentJobError(
      'The payload is not JSON: it was written by plain SQL. Correct it and retry the job.',
      { cause },
    );
  }
}
