import { Injectable } from '@nestjs/common';
import { QueueEvents } from '../events/queue-events.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { ScheduleRepository } from '../repository/schedule-repository.js';
import { PollLoop } from '../support/poll-loop.js';
import type { Service } from '../support/service.js';

const EVERY = 30_000;

/** A schedule whose jobs fail, do not run or are not made says nothing by itself: somebody has to notice that it is silent. */
@Injectable()
export class LateSchedulesWatcher implements Service {
  private readonly loop: PollLoop;

  constructor(
    private readonly repository: ScheduleRepository,
    private readonly events: QueueEvents,
    private readonly options: ResolvedOptions,
  ) {
    this.loop = new PollLoop(() => this.look(), this.events.databaseErrorIn('looking for late schedules', EVERY));
  }

  start(): void {
    if (this.options.roles.has('schedule')) this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async look(): Promise<number> {
    for (const { name, late, since } of await this.repository.lateness()) {
      if (late) this.events.emit({ name: 'schedule.late', schedule: name, since: new Date(since) });
      else this.events.emit({ name: 'schedule.recovered', schedule: name });
    }
    return EVERY;
  }
}
