import { Injectable } from '@nestjs/common';
import { QueueEvents } from '../events/queue-events.js';
import type { JobToken } from '../job/job.js';
import { JobRepository } from '../repository/job-repository.js';

/** Jobs that end within this time never cost a write for their start: the completion carries it. */
const RECORD_AFTER = 100;
const PAUSE_AFTER_ERROR = 1_000;

/** Tells the database which jobs have started, in batches, so that a crash can be told from a job that was never begun. */
@Injectable()
export class StartRecorder {
  /** Claim → when its handler was called. By identity: a key for each would have to be made and thrown away. */
  private readonly unrecorded = new Map<JobToken, number>();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;

  constructor(
    private readonly repository: JobRepository,
    private readonly events: QueueEvents,
  ) {}

  started(token: JobToken, at: number): void {
    this.unrecorded.set(token, at);
    this.schedule();
  }

  ended(token: JobToken): void {
    this.unrecorded.delete(token);
  }

  async stop(): Promise<void> {
    clearTimeout(this.timer);
    this.unrecorded.clear();
    await this.writing;
  }

  private schedule(delay = RECORD_AFTER): void {
    this.timer ??= setTimeout(() => {
      this.writing = this.recordAndGoOn();
    }, delay);
  }

  private async recordAndGoOn(): Promise<void> {
    const pause = await this.record();
    this.timer = undefined;
    if (this.unrecorded.size > 0) this.schedule(pause);
  }

  /** Answers how long to wait before the next time. */
  private async record(): Promise<number> {
    const starts = [...this.unrecorded];
    if (starts.length === 0) return RECORD_AFTER;
    const now = performance.now();
    try {
      await this.repository.recordStarts(starts.map(([{ id, fence }, at]) => ({ id, fence, ago: now - at })));
      for (const [token] of starts) this.unrecorded.delete(token);
      return RECORD_AFTER;
    } catch (error) {
      this.events.databaseError('recording starts', error);
      return PAUSE_AFTER_ERROR;
    }
  }
}
