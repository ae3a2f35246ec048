import { InvalidJobError } from '../errors/invalid-job.error.js';
import { LeaseLostError } from '../errors/lease-lost.error.js';
import type { RegisteredHandler } from '../handler/registered-handler.js';
import type { JobFacts } from '../events/queue-event.js';
import type { ClaimedJob } from '../job/job.js';
import type { JobContext } from '../job/job-context.js';
import { serialiseJson } from '../support/serialise-json.js';
import { NotePad } from './note-pad.js';

const LARGEST_PROGRESS = 8_000;

/** A claimed job on its way through this process. */
export class ActiveJob {
  /** `performance.now()` when the handler was called. */
  startedAt: number | undefined;
  readonly notes = new NotePad();
  private readonly abortion = new AbortController();
  private abandoned = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    readonly job: ClaimedJob,
    readonly handler: RegisteredHandler,
  ) {}

  /** 1 for the first execution. */
  get attempt(): number {
    return this.job.retries + 1;
  }

  get facts(): JobFacts {
    return { id: this.job.id, type: this.job.type, attempt: this.attempt };
  }

  /** Whether its last crash would be one too many, so that nothing else may be running when it happens. */
  get isOnLastChance(): boolean {
    return this.job.suspect && this.job.crashes + 1 >= this.handler.options.maxCrashes;
  }

  /** Its claim is over although its handler may still run: what that answers is dropped. */
  get isAbandoned(): boolean {
    return this.abandoned;
  }

  abandon(why: LeaseLostError['why']): void {
    this.abandoned = true;
    this.stopTimer();
    this.abort(new LeaseLostError(why));
  }

  /** `end` is called unless the attempt has ended, or has been given up, within `timeout` milliseconds. */
  startTimer(timeout: number, end: () => void): void {
    this.timer = setTimeout(end, timeout);
  }

  stopTimer(): void {
    clearTimeout(this.timer);
  }

  abort(reason: Error): void {
    this.abortion.abort(reason);
  }

  get context(): JobContext {
    const { id, type, key, reference, traceId, due, created } = this.job;
    return {
      id,
      type,
      attempt: this.attempt,
      maxAttempts: this.handler.options.maxRetries + 1,
      key,
      reference,
      traceId,
      dueAt: new Date(due),
      createdAt: new Date(created),
      signal: this.abortion.signal,
      log: (message) => this.notes.log(message),
      progress: (value) => this.notes.tell(serialiseProgress(value)),
    };
  }
}

function serialiseProgress(value: unknown): string {
  const json = serialiseJson(value);
  if (json.length <= LARGEST_PROGRESS) return json;
  throw new InvalidJobError(
    'progress',
    value,
    `Tell at most ${LARGEST_PROGRESS} characters of JSON (it has ${json.length}).`,
  );
}
