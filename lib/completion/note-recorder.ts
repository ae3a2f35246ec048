import { Injectable } from '@nestjs/common';
import { QueueEvents } from '../events/queue-events.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { JobRepository, type NotedJob } from '../repository/job-repository.js';
import { PollLoop } from '../support/poll-loop.js';
import type { Service } from '../support/service.js';

/** Writes progress and log lines of running jobs once a beat; those of a job that ends go with its result. */
@Injectable()
export class NoteRecorder implements Service {
  private readonly loop: PollLoop;
  private source: () => NotedJob[] = () => [];

  constructor(
    private readonly repository: JobRepository,
    private readonly events: QueueEvents,
    private readonly options: ResolvedOptions,
  ) {
    this.loop = new PollLoop(
      () => this.record(),
      this.events.databaseErrorIn('recording progress', this.options.leaseBeat),
    );
  }

  /** `source` answers what is new about running jobs, once. */
  collectFrom(source: () => NotedJob[]): void {
    this.source = source;
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async record(): Promise<number> {
    const noted = this.source();
    if (noted.length > 0) await this.repository.recordNotes(noted);
    return this.options.leaseBeat;
  }
}
