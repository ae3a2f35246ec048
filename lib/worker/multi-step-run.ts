import type { EntityManager } from 'typeorm';
import { IncompatibleStepsError } from '../errors/incompatible-steps.error.js';
import { InvalidStepError } from '../errors/invalid-step.error.js';
import { JobTimeoutError } from '../errors/job-timeout.error.js';
import { LeaseLostError } from '../errors/lease-lost.error.js';
import { PermanentJobError } from '../errors/permanent-job.error.js';
import type { QueueEvents } from '../events/queue-events.js';
import type { StepDefinition, StepPlan } from '../handler/registered-handler.js';
import type { AttemptReason } from '../job/attempt.js';
import { retryDelay } from '../job/backoff.js';
import { FilteredOutcome } from '../job/filtered-outcome.js';
import type { JobContext } from '../job/job-context.js';
import { JobOutcome } from '../job/job-outcome.js';
import type { SavedStep, StepEnd, StepPlace } from '../job/step.js';
import { begin, endOf } from '../steps/end-of.js';
import { matchPlan } from '../steps/match-plan.js';
import { StepJournal } from '../steps/step-journal.js';
import type { StepKeeper } from '../steps/step-keeper.js';
import { Suspended } from '../steps/suspension.js';
import { serialiseError, type RecordedError } from '../support/serialise-error.js';
import type { ActiveJob } from './active-job.js';
import { errorOf, isPermanent } from './conclusion.js';
import { createContext } from './create-context.js';
import { readPayload } from './read-payload.js';

/** After everything else of its job. */
const LAST_PLACE = 1_000_000;
/** How often a job may take its process down with it in `@OnJobFailed()`, once it has failed of that. */
const MOST_LAST_CRASHES = 3;

/** Why a job fails, or what keeps it from being run at all. */
export interface Failure {
  readonly error: RecordedError;
  readonly reason: AttemptReason;
}

/** How one attempt of a step has ended, if not by ending the attempt of the job. */
type Ended = { readonly context: string } | Failure;

/**
 * One attempt of a multi-step job, which runs as many steps as succeed:
 *
 *     match definition and saved steps → step → save → step → save → … → onSucceeded → save
 *                                         └─ failed for good → save → onFailed → save
 *
 * What ends it early is a suspension of its journal. Contexts are JSON text: a step gets the same whether or not the process that ran
 * the step before has died.
 */
export class MultiStepRun {
  private readonly journal: StepJournal;
  private saved: ReadonlyMap<string, SavedStep> = new Map();

  constructor(
    private readonly active: ActiveJob,
    private readonly plan: StepPlan,
    private readonly keeper: StepKeeper,
    private readonly events: QueueEvents,
  ) {
    this.journal = active.steps = new StepJournal(active, keeper);
  }

  /** `refused`: why no step may be run any more. Answers the final context. */
  async run(payload: string, refused: Failure | undefined): Promise<unknown> {
    const { steps, onSucceeded } = this.plan;
    const saved = await this.journal.savedSteps();
    this.saved = new Map(saved.map((step) => [step.name, step]));
    const match = matchPlan(steps, saved);
    if ('missing' in match) return this.wait(match.missing);
    let context = match.last?.context ?? payload;
    if (refused !== undefined && match.from < steps.length) return this.fail(context, refused);
    if (match.changed !== undefined) await this.keeper.plan(this.active, match.changed);
    for (const [index, step] of steps.entries()) {
      if (index < match.from) continue;
      context = this.saved.get(step.name)?.input ?? context;
      const end = await this.attempt(step, { name: step.name, kind: 'step', parent: '', place: index + 1 }, context);
      if ('error' in end) return this.fail(context, end);
      context = end.context;
    }
    const end = onSucceeded === undefined ? undefined : await this.callBack(onSucceeded, context);
    if (end !== undefined && 'error' in end) this.journal.suspend({ kind: 'fail', ...end });
    return JSON.parse(context);
  }

  private async wait(missing: readonly string[]): Promise<never> {
    const error = new IncompatibleStepsError(this.active.job.type, missing);
    await this.keeper.report(this.active, error);
    this.events.emit({ name: 'job.incompatible', job: this.active.facts, error: error.message });
    return this.journal.suspend({ kind: 'incompatible' });
  }

  private async fail(context: string, failure: Failure): Promise<never> {
    const { onFailed, maxCrashes } = this.plan;
    const isDeadly = this.active.job.crashes >= maxCrashes + MOST_LAST_CRASHES;
    if (onFailed !== undefined && !isDeadly) await this.callBack(onFailed, context, failure.error);
    return this.journal.suspend({ kind: 'fail', ...failure });
  }

  private callBack(callback: StepDefinition, context: string, ...more: unknown[]): Promise<Ended> {
    const place = { name: callback.name, kind: 'callback', parent: '', place: LAST_PLACE } as const;
    return this.attempt(callback, place, context, ...more);
  }

  /** Unless it has ended before: what the node that ran it could not do any more is done here. */
  private async attempt(step: StepDefinition, place: StepPlace, context: string, ...more: unknown[]): Promise<Ended> {
    const saved = this.saved.get(step.name);
    if (saved?.state === 'succeeded') return { context: saved.context ?? context };
    if (saved?.state === 'failed' && saved.error !== undefined) return { error: saved.error, reason: 'error' };
    this.journal.mayBegin();
    const { active, keeper } = this;
    const begun = begin(place, saved?.attempts ?? 0);
    const clock = this.startClock(step);
    try {
      const changed = await this.read(context, place);
      const done = (result: string | undefined) =>
        endOf(begun, { state: 'succeeded', result, context: keeper.serialise(step.name, 'context', changed ?? null) });
      const run = () => this.runAndSave(step, begun.attempts, [changed, ...more], done);
      return { context: await keeper.observed(active, begun, run) };
    } catch (thrown) {
      if (thrown instanceof Suspended || thrown instanceof LeaseLostError) throw thrown;
      const failure = { error: serialiseError(thrown), reason: clock.timedOut ? 'timeout' : 'error' } as const;
      const isFinal = isPermanent(thrown) || begun.attempts > this.maxRetriesOf(step);
      const state = isFinal ? 'failed' : 'retrying';
      const answer = await keeper.save(active, endOf(begun, { state, error: failure.error }));
      if (answer === 'succeeded before') return { context: await this.savedContext(step, context) };
      if (isFinal) return failure;
      const after = thrown instanceof RetryAfter ? thrown.after : retryDelay(step.options, begun.attempts, thrown);
      return this.journal.suspend({ kind: 'retry', after, ...failure });
    } finally {
      active.stopTimer();
    }
  }

  private async runAndSave(
    step: StepDefinition,
    attempt: number,
    [context, ...more]: readonly unknown[],
    success: (result: string | undefined) => StepEnd,
  ): Promise<string> {
    const { active, keeper } = this;
    const attempts = { attempt, maxAttempts: this.maxRetriesOf(step) + 1 };
    const work = async (manager?: EntityManager): Promise<string | undefined> => {
      this.journal.enter(step.name);
      const job = createContext(active, context, () => refuseTransaction(step.name), keeper, manager, attempts);
      const returned = await this.invoke(step, context, job, more);
      // A sleep that the step has caught is a sleep.
      if (this.journal.suspension !== undefined) throw new Suspended();
      return keeper.serialise(step.name, 'result', this.resultOf(returned));
    };
    if (!step.options.transactional) {
      const end = success(await work());
      await keeper.save(active, end);
      return end.context as string;
    }
    const end: { context?: string | undefined } = {};
    await keeper.transaction(active, work, (result) => Object.assign(end, success(result)));
    return end.context as string;
  }

  /** A step inside of it that nobody waited for ends before it. */
  private async invoke(step: StepDefinition, context: unknown, job: JobContext, more: unknown[]): Promise<unknown> {
    try {
      return await step.invoke(context, job, ...more);
    } catch (thrown) {
      if (thrown instanceof FilteredOutcome) return thrown.outcome;
      throw thrown;
    } finally {
      await this.journal.settled();
    }
  }

  private resultOf(returned: unknown): unknown {
    if (!(returned instanceof JobOutcome)) return returned;
    const after = returned.delayFrom(this.active.now);
    if (returned.kind === 'continue') this.journal.suspend({ kind: 'sleep', after: after ?? 0 });
    const error = errorOf(returned);
    if (returned.kind === 'fail') throw new PermanentJobError(error.message);
    throw after === undefined ? error : new RetryAfter(error.message, after);
  }

  /** What is not a context yet is the payload: it becomes one by its schema, and JSON, as every step's is. */
  private async read(context: string, { kind, name, place }: StepPlace): Promise<unknown> {
    const value: unknown = JSON.parse(context);
    const { schema } = this.active.handler.options;
    const isPayload = kind === 'step' && place === 1 && this.saved.get(name)?.input === undefined;
    if (schema === undefined || !isPayload) return value;
    const first = (await readPayload(this.active, schema, value)) ?? null;
    return JSON.parse(this.keeper.serialise(name, 'context', first) as string);
  }

  /** The answer to its commit was lost: it has been done. */
  private async savedContext({ name }: StepDefinition, before: string): Promise<string> {
    const saved = await this.keeper.reload(this.active);
    return saved.find((step) => step.name === name)?.context ?? before;
  }

  private maxRetriesOf({ options }: StepDefinition): number {
    return this.active.job.maxRetries ?? options.maxRetries;
  }

  private startClock({ name, options: { timeout } }: StepDefinition): { readonly timedOut: boolean } {
    const { active, events } = this;
    const clock = { timedOut: false };
    active.stopTimer();
    active.renewSignal();
    active.startTimer(timeout, () => {
      clock.timedOut = true;
      active.abort(new JobTimeoutError(`${active.job.type}: ${name}`, timeout));
      events.emit({ name: 'job.overrun', job: active.facts, timeout });
    });
    return clock;
  }
}

/** A step has returned `JobOutcome.retry({ after })`. */
class RetryAfter extends Error {
  constructor(
    message: string,
    readonly after: number,
  ) {
    super(message);
    this.name = 'JobOutcome';
  }
}

function refuseTransaction(step: string): Promise<never> {
  const cure = 'Give the step @JobStep({ transactional: true }), and write through job.manager.';
  return Promise.reject(new InvalidStepError(step, 'job.transaction()', 'cannot complete its job', cure));
}
