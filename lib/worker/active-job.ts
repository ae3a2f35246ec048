import type { ClaimHome } from '../completion/claim-home.js';
import { LeaseLostError } from '../errors/lease-lost.error.js';
import type { RegisteredHandler } from '../handler/registered-handler.js';
import type { JobFacts } from '../events/queue-event.js';
import type { GuardedObservation } from '../instrumentation/guarded-instrument.js';
import type { AttemptConclusion, AttemptFacts } from '../instrumentation/job-instrument.js';
import type { ClaimedJob } from '../job/job.js';
import type { Settlement } from '../job/settlement.js';
import type { StepJournal } from '../steps/step-journal.js';
import type { StepOwner } from '../steps/step-owner.js';
import { NotePad } from './note-pad.js';

/** A claimed job on its way through this process. */
export class ActiveJob implements StepOwner {
  /** `performance.now()` when the handler was called. */
  startedAt: number | undefined;
  /** Its end, if its handler has committed that together with its own writes: nothing that comes later counts. */
  completion: Settlement | undefined;
  /** Made when its handler comes to its first step. */
  steps: StepJournal | undefined;
  /** Those who look on, if there are any, from when its handler is called. */
  observation: GuardedObservation<AttemptConclusion> | undefined;
  readonly notes = new NotePad();
  private abortion: AbortController | undefined;
  private readonly receivedAt = performance.now();
  private abandoned = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    readonly job: ClaimedJob,
    readonly handler: RegisteredHandler,
    readonly home: ClaimHome,
  ) {}

  /** By the database's clock. */
  get now(): number {
    return this.job.now + performance.now() - this.receivedAt;
  }

  /** 1 for the first execution. */
  get attempt(): number {
    return this.job.retries + 1;
  }

  get maxRetries(): number {
    return this.job.maxRetries ?? this.handler.options.maxRetries;
  }

  /** Whether its handler's return is not the end of the job. */
  get isManual(): boolean {
    return this.handler.options.ackTimeout !== undefined;
  }

  /** Made when it is asked for: few handlers do, and it costs more than everything else that a job has. */
  get signal(): AbortSignal {
    this.abortion ??= new AbortController();
    return this.abortion.signal;
  }

  get facts(): JobFacts {
    const { id, type, fence, traceId } = this.job;
    return { id, type, attempt: this.attempt, fence, traceId };
  }

  /** What those who look on are told. */
  get attemptFacts(): AttemptFacts {
    const { id, type, traceId, due } = this.job;
    return { id, type, attempt: this.attempt, traceId, waited: this.now - due };
  }

  /** Whether its last crash would be one too many, so that nothing else may be running when it happens. */
  get isOnLastChance(): boolean {
    const { plan, options } = this.handler;
    return this.job.suspect && this.job.crashes + 1 >= (plan ?? options).maxCrashes;
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

  /** An aborted signal was that of the step before. */
  renewSignal(): void {
    if (!this.abandoned) this.abortion = undefined;
  }

  abort(reason: Error): void {
    this.abortion ??= new AbortController();
    this.abortion.abort(reason);
  }
}
