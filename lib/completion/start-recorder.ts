import { Injectable } from '@nestjs/common';
import { QueueEvents } from '../events/queue-events.js';
import type { JobToken } from '../job/job.js';
import { JobRepository } from '../repository/job-repository.js';

/** Jobs that end within this time never cost a write for their start: the completion carries it. */
const RECORD_AFTER = 100;
const PAUSE_AFTER_ERROR = 1_000;

interface Start {
  readonly token: JobToken;
  readonly at: number;
}

/** Tells the database which jobs have started, in batches, so that a crash can be told from a job that was never begun. */
@Injectable()
export class StartRecorder {
  private readonly unrecorded = new Map<string, Start>();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;

  constructor(
    private readonly repository: JobRepository,
    private readonly events: QueueEvents,
  ) {}

  started(token: JobToken, at: number): void {
    this.unrecorded.set(keyOf(token), { token, at });
    this.schedule();
  }

  ended(token: JobToken): void {
    this.unrecorded.delete(keyOf(token));
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
    const starts = [...this.unrecorded.values()];
    if (starts.length === 0) return RECORD_AFTER;
    const now = performance.now();
    try {
      await this.repository.recordStarts(
        starts.map(({ token, at }) => ({ id: token.id, fence: token.fence, ago: now - at })),
      );
      for (const { token } of starts) this.unrecorded.delete(keyOf(token));
      return RECORD_AFTER;
    } catch (error) {
      this.events.databaseError('recording starts', error);
      return PAUSE_AFTER_ERROR;
    }
  }
}

function keyOf({ id, fence }: JobToken): string {
  return `${id}:${fence}`;
}
