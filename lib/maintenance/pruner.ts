import { Injectable } from '@nestjs/common';
import { QueueEvents } from '../events/queue-events.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { JobRepository } from '../repository/job-repository.js';
import { PollLoop } from '../support/poll-loop.js';
import type { Service } from '../support/service.js';

const BATCH = 500;
const IDLE = 60_000;
/** Between full batches: deleting as fast as it can would take the disk from the jobs. */
const BREATH = 50;

/** Deletes what has been kept for long enough. */
@Injectable()
export class Pruner implements Service {
  private readonly loop: PollLoop;

  constructor(
    private readonly repository: JobRepository,
    private readonly events: QueueEvents,
    private readonly options: ResolvedOptions,
  ) {
    this.loop = new PollLoop(
      async () => ((await this.repository.prune(BATCH)) >= BATCH ? BREATH : IDLE),
      (error) => {
        this.events.databaseError('pruning', error);
        return IDLE;
      },
    );
  }

  start(): void {
    if (this.options.roles.has('maintain')) this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }
}
