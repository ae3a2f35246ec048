import { Injectable } from '@nestjs/common';
import { QueueEvents } from '../events/queue-events.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { JobRepository } from '../repository/job-repository.js';
import { PollLoop } from '../support/poll-loop.js';
import type { Service } from '../support/service.js';
import { WorkerPool } from '../worker/worker-pool.js';

const BATCH = 500;
const IDLE = 60_000;
/** The part of the time it takes, while there is much to delete: more would take the disk from the jobs. */
const SHARE_BESIDE_JOBS = 0.05;
const SHARE_OF_IDLE_NODE = 0.5;

/** Deletes what has been kept for long enough. */
@Injectable()
export class Pruner implements Service {
  private readonly loop: PollLoop;
  private accepted: number | undefined;

  constructor(
    private readonly repository: JobRepository,
    private readonly events: QueueEvents,
    private readonly options: ResolvedOptions,
    private readonly pool: WorkerPool,
  ) {
    this.loop = new PollLoop(() => this.pruneBatch(), this.events.databaseErrorIn('pruning', IDLE));
  }

  start(): void {
    if (this.options.roles.has('maintain')) this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async pruneBatch(): Promise<number> {
    const began = performance.now();
    const pruned = await this.repository.prune(BATCH);
    const took = performance.now() - began;
    const share = this.isIdle() ? SHARE_OF_IDLE_NODE : SHARE_BESIDE_JOBS;
    return pruned < BATCH ? IDLE : took / share - took;
  }

  /** Whether no job runs, and none has since the last batch: short ones come and go between two looks. */
  private isIdle(): boolean {
    const seen = this.accepted;
    this.accepted = this.pool.accepted;
    return this.pool.size === 0 && this.accepted === seen;
  }
}
