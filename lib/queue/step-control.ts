import { Injectable } from '@nestjs/common';
import { InvalidStepError } from '../errors/invalid-step.error.js';
import { JobNotFoundError } from '../errors/job-not-found.error.js';
import { JobStateError } from '../errors/job-state.error.js';
import { serialiseStepValue } from '../job/serialise-step-value.js';
import type { JobSteps } from '../job/step.js';
import type { JobType } from '../job/job-type.js';
import { OptionReader } from '../options/option-reader.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { StepRepository, type RestartedJob } from '../repository/step-repository.js';
import { WakeSignal } from '../signal/wake-signal.js';
import { readType } from './build-job.js';
import type { JobDefinition } from './job-definition.js';

/**
 * A job by its key, while it has that: see `keyScope`.
 *
 * @publicApi
 */
export interface JobKey {
  readonly type: JobType | JobDefinition<unknown>;
  readonly key: string;
}

/**
 * Options of `restart()`.
 *
 * @publicApi
 */
export interface RestartOptions {
  /** The name of the step that the job begins with; all before it must have succeeded. */
  fromStep: string;
  /** Of a multi-step job: the context that the step gets. By default the one that it got before. */
  context?: unknown;
}

/** What people see of the steps of jobs, and do to them. */
@Injectable()
export class StepControl {
  constructor(
    private readonly repository: StepRepository,
    private readonly wakeSignal: WakeSignal,
    private readonly options: ResolvedOptions,
  ) {}

  steps(id: string): Promise<JobSteps> {
    return this.repository.list(id);
  }

  async restart(job: string | JobKey, given: RestartOptions): Promise<string> {
    const options = new OptionReader('restart()', given, ['fromStep', 'context']);
    const { fromStep } = given;
    if (options.text('fromStep') === undefined) options.refuse('fromStep', fromStep, 'Give the name of a step.');
    const context = serialiseStepValue(fromStep, 'context', given.context, this.options.maxPayloadBytes);
    const which = typeof job === 'string' ? { id: job } : { type: readType(job.type), key: job.key };
    const restarted = await this.repository.restart(which, fromStep, context);
    if (restarted === undefined) throw new JobNotFoundError(typeof job === 'string' ? job : job.key);
    refuse(restarted, fromStep);
    this.wakeSignal.notify([{ type: restarted.type, priority: restarted.priority }]);
    return restarted.id;
  }
}

function refuse({ id, state, refusal, steps }: RestartedJob, fromStep: string): void {
  if (refusal === 'state') throw new JobStateError(id, state, 'restarted', ['succeeded', 'failed', 'cancelled']);
  if (refusal === 'context') {
    const cure = 'Leave it out: only the steps of a multi-step job share a context.';
    throw new InvalidStepError(fromStep, 'a context', `of job ${id} has no context`, cure);
  }
  if (refusal === 'step') {
    const cure =
      steps.length === 0
        ? 'Nothing is saved of its steps (any more): enqueue a new job.'
        : `It can be restarted from ${steps.join(', ')}.`;
    throw new InvalidStepError(fromStep, fromStep, `is none that job ${id} can be restarted from`, cure);
  }
}
