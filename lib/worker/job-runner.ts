import { Injectable } from '@nestjs/common';
import { JobTimeoutError } from '../errors/job-timeout.error.js';
import { PermanentJobError } from '../errors/permanent-job.error.js';
import { QueueEvents } from '../events/queue-events.js';
import { HandlerClock } from '../handler/handler-clock.js';
import type { Invoke, StepPlan } from '../handler/registered-handler.js';
import type { AttemptReason } from '../job/attempt.js';
import { FilteredOutcome } from '../job/filtered-outcome.js';
import type { JobContext } from '../job/job-context.js';
import type { AttemptConclusion } from '../instrumentation/job-instrument.js';
import { JobInstrumentation } from '../instrumentation/job-instrumentation.js';
import { releaseOf, type Settlement } from '../job/settlement.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { StepKeeper } from '../steps/step-keeper.js';
import { serialiseError } from '../support/serialise-error.js';
import type { ActiveJob } from './active-job.js';
import { conclude, concludeFailure, concludeSuspension, type HandlerEnd } from './conclusion.js';
import { createContext } from './create-context.js';
import { JobTransactions } from './job-transactions.js';
import { MultiStepRun } from './multi-step-run.js';
import { readPayload } from './read-payload.js';
import { unacknowledged } from './unacknowledged.js';

/**
 * One attempt, from claim to settlement:
 *
 *     refuse expired → parse payload → record start → schema, handler (timeout) → conclude → hand to where the claim is from
 */
@Injectable()
export class JobRunner {
  constructor(
    private readonly transactions: JobTransactions,
    private readonly keeper: StepKeeper,
    private readonly clock: HandlerClock,
    private readonly events: QueueEvents,
    private readonly instrumentation: JobInstrumentation,
    private readonly options: ResolvedOptions,
  ) {}

  /** Running handlers begin no further step: what is saved is enough for another node to go on. */
  stopSteps(): void {
    this.keeper.isStopping = true;
  }

  /** Never throws. */
  async run(active: ActiveJob): Promise<void> {
    const settlement = await this.attempt(active).catch((error: unknown) => this.giveBack(active, error));
    const { completion, observation } = active;
    if (observation !== undefined) observation.end(conclusionOf(active, completion ?? settlement));
    if (completion !== undefined) {
      active.home.completed(completion);
      return this.tell(active, completion);
    }
    if (active.isAbandoned || settlement === undefined)
      return this.events.emit({ name: 'job.lost', job: active.facts });
    active.home.settle(settlement);
    this.tell(active, settlement);
  }

  private async attempt(active: ActiveJob): Promise<Settlement | undefined> {
    const { job, handler, home } = active;
    const payload = home.payloadOf(job);
    const refusal = payload instanceof PermanentJobError ? refused(payload) : refusalOf(active);
    if (refusal !== undefined && handler.plan === undefined) {
      active.observation = this.instrumentation.current?.attempt(active.attemptFacts);
      return concludeFailure(active, refusal.thrown, refusal.reason);
    }
    const starting = home.starting(job);
    // Only what was waited for may have been taken away meanwhile; to wait for nothing would cost every job a turn.
    if (starting !== true && (!(await starting) || active.isAbandoned)) return undefined;
    const end = await this.call(active, payload, refusal);
    const { steps } = active;
    if (steps !== undefined) await steps.settled();
    home.ended(job);
    if (steps?.suspension !== undefined) return concludeSuspension(active, steps.suspension);
    return conclude(active, end, this.options.maxPayloadBytes);
  }

  private async call(active: ActiveJob, payload: unknown, refusal: Refusal | undefined): Promise<HandlerEnd> {
    const { timeout } = active.handler.options;
    let timedOut = false;
    active.startTimer(timeout, () => {
      timedOut = true;
      active.abort(new JobTimeoutError(active.job.type, timeout));
      this.events.emit({ name: 'job.overrun', job: active.facts, timeout });
    });
    active.startedAt = performance.now();
    this.clock.entered(active.job.type);
    this.events.emit({ name: 'job.started', job: active.facts });
    const observation = (active.observation = this.instrumentation.current?.attempt(active.attemptFacts));
    try {
      if (observation === undefined) return { returned: await this.invoke(active, payload, refusal) };
      return { returned: await observation.run(async () => this.invoke(active, payload, refusal)) };
    } catch (thrown) {
      if (thrown instanceof FilteredOutcome) return { returned: thrown.outcome };
      return { thrown, reason: timedOut ? 'timeout' : 'error' };
    } finally {
      this.clock.left(active.job.type);
      active.stopTimer();
    }
  }

  private invoke(active: ActiveJob, payload: unknown, refusal: Refusal | undefined): Promise<unknown> {
    const { handler } = active;
    if (handler.plan !== undefined) return this.runSteps(active, handler.plan, refusal);
    const { invoke, options } = handler;
    if (options.schema === undefined) return this.callHandler(active, invoke, payload);
    return readPayload(active, options.schema, payload).then((read) => this.callHandler(active, invoke, read));
  }

  private callHandler(active: ActiveJob, invoke: Invoke, payload: unknown): Promise<unknown> {
    const { options } = active.handler;
    const transaction: JobContext['transaction'] = (work) => this.transactions.run(active, work);
    if (!options.transactional) return invoke(payload, createContext(active, payload, transaction, this.keeper));
    return transaction((manager) => invoke(payload, createContext(active, payload, transaction, this.keeper, manager)));
  }

  /** What keeps a multi-step job from being run is a failure that its class is told of. */
  private runSteps(active: ActiveJob, plan: StepPlan, refusal: Refusal | undefined): Promise<unknown> {
    const failure = refusal && { error: serialiseError(refusal.thrown), reason: refusal.reason };
    const payload = refusal?.thrown.cause === undefined ? (active.job.payload ?? 'null') : 'null';
    return new MultiStepRun(active, plan, this.keeper, this.events).run(payload, failure);
  }

  /** The handler was not called, because its start could not be recorded: nothing happened, and nothing is used up. */
  private giveBack(active: ActiveJob, error: unknown): Settlement {
    this.events.databaseError('recording a start', error);
    return releaseOf(active.job);
  }

  private tell(active: ActiveJob, { state, delay, attempt }: Settlement): void {
    const job = active.facts;
    const { message: error = '', name: errorName } = attempt?.error ?? {};
    const told = { job, error, errorName };
    if (state === 'failed') this.events.emit({ name: 'job.failed', reason: attempt?.reason ?? 'error', ...told });
    else if (attempt?.outcome === 'retried') this.events.emit({ name: 'job.retried', delay: delay ?? 0, ...told });
    else if (state === 'succeeded') {
      if (error !== '') this.events.emit({ name: 'job.result-dropped', job, error });
      this.events.emit({ name: 'job.succeeded', job });
    }
  }
}

/** What those who look on are told: what the history will have. */
function conclusionOf(active: ActiveJob, settlement: Settlement | undefined): AttemptConclusion {
  const isLost = settlement === undefined || (active.completion === undefined && active.isAbandoned);
  const { outcome = 'released', reason, error } = settlement?.attempt ?? {};
  return { outcome: isLost ? 'lost' : outcome, reason, error };
}

/** Why a job must not be run. */
interface Refusal {
  readonly thrown: PermanentJobError;
  readonly reason: AttemptReason;
}

function refused(thrown: PermanentJobError, reason: AttemptReason = 'error'): Refusal {
  return { thrown, reason };
}

function refusalOf(active: ActiveJob): Refusal | undefined {
  const { job, handler } = active;
  const { plan } = handler;
  if (job.deadline !== undefined && active.now > job.deadline) {
    return refused(new PermanentJobError('The deadline passed before the job could be started.'), 'expired');
  }
  if (active.isManual && job.retries > active.maxRetries) return refused(unacknowledged(active), 'timeout');
  if (plan === undefined || job.crashes < plan.maxCrashes) return undefined;
  const message = `The process died with this job for the ${job.crashes}. time after a first crash (maxCrashes ${plan.maxCrashes}).`;
  return refused(new PermanentJobError(message), 'crash');
}
