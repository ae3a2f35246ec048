import { Injectable } from '@nestjs/common';
import { QueueEvents } from '../events/queue-events.js';
import type { NewSchedule } from '../job/schedule.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { ScheduleRepository } from '../repository/schedule-repository.js';
import { JobScheduleExplorer } from './job-schedule.explorer.js';
import { LateSchedulesWatcher } from './late-schedules.watcher.js';
import { ScheduleFirer } from './schedule-firer.js';

/** The life of everything about schedules. */
@Injectable()
export class Scheduler {
  private declared: NewSchedule[] = [];

  constructor(
    private readonly explorer: JobScheduleExplorer,
    private readonly repository: ScheduleRepository,
    private readonly firer: ScheduleFirer,
    private readonly watcher: LateSchedulesWatcher,
    private readonly events: QueueEvents,
    private readonly options: ResolvedOptions,
  ) {}

  /** Finds what code declares, and registers its handlers. */
  explore(): void {
    this.declared = this.explorer.explore();
  }

  /** After the node has registered: what it handles is then known not to be gone. */
  async start(): Promise<void> {
    await this.declare();
    this.firer.start();
    this.watcher.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.firer.stop(), this.watcher.stop()]);
  }

  /** Stores what `explore()` has found. */
  async declare(): Promise<void> {
    const { roles } = this.options;
    // A consumer may be the only process with the code: it declares, and others fire.
    if (!roles.has('schedule') && !roles.has('work')) return;
    const gone = await this.repository.declare(this.declared);
    for (const schedule of gone) this.events.emit({ name: 'schedule.gone', schedule });
  }
}
