import { Injectable } from '@nestjs/common';
import { QueueEvents } from '../events/queue-events.js';
import { NodeLease } from '../node/node-lease.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { JobRepository } from '../repository/job-repository.js';

const BATCH = 500;

/** Takes the jobs of dead nodes away from them, so that they run elsewhere. */
@Injectable()
export class Rescuer {
  constructor(
    private readonly repository: JobRepository,
    private readonly lease: NodeLease,
    private readonly events: QueueEvents,
    private readonly options: ResolvedOptions,
  ) {}

  /** Whether this node may and should look for the dead. */
  get isOnDuty(): boolean {
    return this.options.roles.has('maintain') && this.lease.maySweep;
  }

  /** Answers how many jobs. */
  async rescue(): Promise<number> {
    let all = 0;
    for (let rescued = BATCH; rescued === BATCH && this.isOnDuty;) {
      const jobs = await this.repository.rescue(BATCH);
      rescued = jobs.length;
      all += rescued;
      for (const { id, type, state } of jobs) this.events.emit({ name: 'job.rescued', job: { id, type }, state });
      if (rescued > 0)
        this.events.emit({
          name: 'node.rescued',
          jobs: rescued,
          failed: jobs.filter(({ state }) => state === 'failed').length,
        });
    }
    return all;
  }
}
