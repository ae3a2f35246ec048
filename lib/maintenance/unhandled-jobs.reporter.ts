import { Injectable } from '@nestjs/common';
import { QueueEvents } from '../events/queue-events.js';
import { NodeLease } from '../node/node-lease.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { JobRepository } from '../repository/job-repository.js';
import { PollLoop } from '../support/poll-loop.js';
import type { Service } from '../support/service.js';

const EVERY = 60_000;

/** Jobs without a handler are left where they are, so that a newer node can run them; but somebody should know. */
@Injectable()
export class UnhandledJobsReporter implements Service {
  private readonly loop: PollLoop;
  private readonly reported = new Map<string, string>();

  constructor(
    private readonly repository: JobRepository,
    private readonly lease: NodeLease,
    private readonly events: QueueEvents,
    private readonly options: ResolvedOptions,
  ) {
    this.loop = new PollLoop(() => this.look(), this.events.databaseErrorIn('looking for unhandled jobs', EVERY));
  }

  start(): void {
    if (this.options.roles.has('maintain')) this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Not before one lease has passed: in a deployment the nodes that handle a type may be about to start. */
  private async look(): Promise<number> {
    if (!this.lease.maySweep) return this.options.leaseDuration;
    const types = await this.repository.unhandledTypes();
    if (this.isNews('types', types)) this.events.emit({ name: 'types.unhandled', types });
    const services = await this.repository.unhandledServices();
    if (this.isNews('services', services)) this.events.emit({ name: 'services.unhandled', services });
    return EVERY;
  }

  private isNews(what: string, found: readonly string[]): boolean {
    const text = JSON.stringify(found);
    const isNew = found.length > 0 && text !== this.reported.get(what);
    this.reported.set(what, text);
    return isNew;
  }
}
