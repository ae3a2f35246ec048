import type { JobContext } from '../job/job-context.js';
import type { ResolvedHandlerOptions } from '../options/handler-options.js';
import type { Retention } from '../options/resolved-options.js';
import type { ResolvedStepOptions } from '../options/step-options.js';

/** A job type, and how its jobs are run. */
export interface HandlerFacts {
  readonly type: string;
  /** `Class.method`, for people. */
  readonly name: string;
  readonly options: ResolvedHandlerOptions;
  readonly retention: Retention;
}

/** `more`: what only some methods are given. */
export type Invoke = (payload: unknown, job: JobContext, ...more: unknown[]) => Promise<unknown>;

/** Runs its jobs by one function, or step by step. */
export type RegisteredHandler = HandlerFacts &
  ({ readonly invoke: Invoke; readonly plan?: undefined } | { readonly invoke?: undefined; readonly plan: StepPlan });

/** A multi-step job as its class defines it. */
export interface StepPlan {
  /** In their order. */
  readonly steps: readonly StepDefinition[];
  readonly onSucceeded: StepDefinition | undefined;
  readonly onFailed: StepDefinition | undefined;
  /** The rescuer must not fail such a job: nobody would call its `onFailed`. */
  readonly maxCrashes: number;
}

export interface StepDefinition {
  readonly name: string;
  readonly description: string | undefined;
  readonly options: ResolvedStepOptions;
  readonly invoke: Invoke;
}
