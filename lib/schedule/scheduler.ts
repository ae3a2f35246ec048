import { Injectable } from '@nestjs/common';
import { QueueEvents } from '../events/queue-events.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { ScheduleRepository } from '../repository/schedule-repository.js';
import { JobScheduleExplorer } from './job-schedule.explorer.js';
import { LateSchedulesWatcher } from './late-schedules.watcher.js';
import { ScheduleFirer } from './schedule-firer.js';

/** The life of everything about schedules. */
@Injectable()
export class Scheduler {
  private hasStarted = false;
  /** How many of the declared ones are in the database. */
  private stored = 0;

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
    this.explorer.explore();
  }

  /** Stores what has been found since the start; that the node handles it must be known by then, too. */
  async declareNew(): Promise<void> {
    if (this.hasStarted && this.explorer.declared.length > this.stored) await this.declare();
  }

  /** After the node has registered: what it handles is then known not to be gone. */
  async start(): Promise<void> {
    this.hasStarted = true;
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
    const declared = [...this.explorer.declared];
    const gone = await this.repository.declare(declared);
    this.stored = declared.length;
    for (const schedule of gone) this.events.emit({ name: 'schedule.gone', schedule });
  }
}
