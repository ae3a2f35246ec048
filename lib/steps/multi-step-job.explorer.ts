import { Injectable } from '@nestjs/common';
import { InvalidHandlerError } from '../errors/invalid-handler.error.js';
import {
  DecoratedMethodScanner,
  type DecoratedClass,
  type DecoratedMethod,
} from '../handler/decorated-method.scanner.js';
import { HandlerInvoker } from '../handler/handler-invoker.js';
import type { JobHandlerMetadata } from '../handler/job-handler.decorator.js';
import { JobHandlerExplorer, refuseOperation } from '../handler/job-handler.explorer.js';
import { JobHandlerRegistry } from '../handler/job-handler.registry.js';
import type { HandlerFacts, StepDefinition } from '../handler/registered-handler.js';
import { nameFault } from '../job/job-type.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { resolveStepOptions } from '../options/resolve-step-options.js';
import type { JobStepOptions } from '../options/step-options.js';
import { MULTI_STEP_JOB_METADATA } from '../queue/multi-step-types.js';
import { LONGEST_TIMER } from '../support/duration.js';
import { JOB_FAILED_METADATA, JOB_STEP_METADATA, JOB_SUCCEEDED_METADATA } from './multi-step-job.decorator.js';

const LONGEST_STEP_NAME = 100;

/** No name of a step has a slash: these are no step's. */
export const ON_SUCCEEDED = '/OnJobSucceeded';
export const ON_FAILED = '/OnJobFailed';

/** More deaths than any job will see: the rescuer leaves the decision to the node that has the job's `@OnJobFailed()`. */
const NEVER = 1_000_000;

interface OrderedStep extends StepDefinition {
  readonly order: number;
  readonly method: string;
}

/** From decorated classes to handlers that run step by step. What cannot work stops the application, naming class and method. */
@Injectable()
export class MultiStepJobExplorer {
  private readonly seen = new Set<object>();

  constructor(
    private readonly scanner: DecoratedMethodScanner,
    private readonly invoker: HandlerInvoker,
    private readonly handlers: JobHandlerExplorer,
    private readonly registry: JobHandlerRegistry,
    private readonly options: ResolvedOptions,
  ) {}

  /** Registers those that have not been registered before. */
  explore(): void {
    const classes = this.scanner.scanClasses<JobHandlerMetadata>(MULTI_STEP_JOB_METADATA);
    const steps = this.scanner.scan<JobStepOptions>(JOB_STEP_METADATA);
    refuseStrays(classes, steps);
    for (const decorated of classes) {
      if (decorated.metadata.options.queue !== this.options.name || this.seen.has(decorated.class)) continue;
      this.register(decorated, steps);
      this.seen.add(decorated.class);
    }
  }

  private register(
    decorated: DecoratedClass<JobHandlerMetadata>,
    all: readonly DecoratedMethod<JobStepOptions>[],
  ): void {
    const { name } = decorated.class;
    const facts = this.handlers.describe('@MultiStepJob', name, decorated.metadata);
    refuseOperation(facts);
    refuseManual(name, facts);
    const own = all.filter((step) => step.class === decorated.class).map((step) => this.toStep(step, facts));
    const steps = own.toSorted((a, b) => a.order - b.order);
    if (steps.length === 0) {
      const cure = 'Put @JobStep({ order: 1 }) on a method.';
      throw new InvalidHandlerError(name, facts.type, '@MultiStepJob() has no steps', cure);
    }
    refuseTwins(name, steps);
    this.registry.register({
      ...facts,
      options: { ...facts.options, timeout: LONGEST_TIMER, maxCrashes: NEVER },
      plan: {
        steps,
        onSucceeded: this.callback(JOB_SUCCEEDED_METADATA, ON_SUCCEEDED, decorated, facts),
        onFailed: this.callback(JOB_FAILED_METADATA, ON_FAILED, decorated, facts),
        maxCrashes: facts.options.maxCrashes,
      },
    });
  }

  private toStep(decorated: DecoratedMethod<JobStepOptions>, job: HandlerFacts): OrderedStep {
    const method = `${decorated.class.name}.${decorated.method}`;
    const resolved = resolveStepOptions(`@JobStep() on ${method}`, decorated.metadata, job.options);
    const { order, name = decorated.method, description, ...options } = resolved;
    const fault = name.includes('/') ? 'Leave out the slash.' : nameFault(name, LONGEST_STEP_NAME);
    if (fault !== undefined) throw new InvalidHandlerError(method, name, '@JobStep() has a name it cannot have', fault);
    return { order, method, name, description, options, invoke: this.invoker.create(decorated, job.type) };
  }

  private callback(
    key: string,
    name: string,
    { class: owner }: DecoratedClass<unknown>,
    { type, options }: HandlerFacts,
  ): StepDefinition | undefined {
    const [first, second] = this.scanner.scan(key).filter((decorated) => decorated.class === owner);
    if (first === undefined) return undefined;
    const description = `${owner.name}.${first.method}`;
    if (second !== undefined) {
      const cure = 'Call both from one of them.';
      throw new InvalidHandlerError(description, second.method, `@${name.slice(1)}() is on two methods`, cure);
    }
    return { name, description, options, invoke: this.invoker.create(first, type) };
  }
}

function refuseStrays(
  classes: readonly DecoratedClass<unknown>[],
  steps: readonly DecoratedMethod<JobStepOptions>[],
): void {
  const stray = steps.find((step) => !classes.some((decorated) => decorated.class === step.class));
  if (stray === undefined) return;
  const method = `${stray.class.name}.${stray.method}`;
  const cure = `Put @MultiStepJob('job type') on ${stray.class.name}.`;
  throw new InvalidHandlerError(method, stray.metadata, '@JobStep() is in a class that is no multi-step job', cure);
}

function refuseManual(name: string, { options }: HandlerFacts): void {
  if (options.ackTimeout === undefined) return;
  const cure =
    "Leave out ack: its last step is its end. Hand over in a step, and enqueue a job with ack: 'manual' for what follows.";
  throw new InvalidHandlerError(name, 'manual', '@MultiStepJob() cannot be acknowledged by hand', cure);
}

function refuseTwins(name: string, steps: readonly OrderedStep[]): void {
  for (const [index, step] of steps.entries()) {
    const before = steps.slice(0, index);
    const twin = before.find((other) => other.name === step.name || other.order === step.order);
    if (twin === undefined) continue;
    const what = twin.name === step.name ? 'name' : 'order';
    const cure = `${name} has it on ${twin.method}: give each step its own.`;
    throw new InvalidHandlerError(step.method, step[what], `@JobStep() has the ${what} of another step`, cure);
  }
}
