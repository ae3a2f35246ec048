import { ApplicationConfig, ExternalContextCreator } from '@nestjs/core';
import { PermanentJobError } from '../errors/permanent-job.error.js';
import type { JobContext } from '../job/job-context.js';
import { FilteredOutcome } from '../job/filtered-outcome.js';
import { JobOutcome } from '../job/job-outcome.js';
import { awaited } from '../support/observables.js';
import { isForPipes } from './handler-parameters.js';
import { Refusals } from './refusals.js';

export type NestContainer = Parameters<typeof ExternalContextCreator.fromContainer>[0];
type Host = { getArgs(): unknown[] };
type Filters = { invokeCustomFilters(thrown: unknown, host: Host): unknown };
type Call = (...args: unknown[]) => Promise<unknown>;
type CreateProxy = (target: Call, filters: { next(thrown: unknown, host: Host): unknown }, type: string) => Call;

/**
 * Nest's way around a method: guards → interceptors → pipes → method, and filters for what any of them throws. For jobs, it keeps in
 * mind who has refused one, and what a filter answers ends an attempt only when that is a `JobOutcome`: a filter made for logging or
 * for HTTP changes nothing. Nest's own last filter would log the error that the queue's logger tells about.
 *
 * @param onFilterError a filter has thrown something of its own
 */
export function executionContexts(
  container: NestContainer,
  onFilterError: (job: JobContext, error: unknown) => void,
): ExternalContextCreator {
  const creator = ExternalContextCreator.fromContainer(container);
  const refusals = new Refusals();
  creator.transformToResult = async (returned) => awaited(returned);
  watchGuards(creator, refusals);
  watchPipes(creator, refusals);
  watchFilters(creator, async (filters, thrown, host) => {
    const job = host.getArgs()[1] as JobContext;
    const error = refusals.of(job) ?? thrown;
    const answer = await filter(filters, thrown, host).catch((second: unknown) => {
      if (second instanceof PermanentJobError) throw second;
      if (second !== thrown) onFilterError(job, second);
    });
    if (answer instanceof JobOutcome) throw new FilteredOutcome(answer);
    throw error;
  });
  return creator;
}

/** The same container, seen without the enhancers of the whole application: an APP_GUARD made for HTTP would deny every job. */
export function withoutGlobals(container: NestContainer): NestContainer {
  return Object.create(container, { applicationConfig: { value: new ApplicationConfig() } }) as NestContainer;
}

function watchGuards(creator: ExternalContextCreator, refusals: Refusals): void {
  const createGuardsFn = creator.createGuardsFn.bind(creator);
  creator.createGuardsFn = (...given) => {
    const guard = createGuardsFn(...given) as ((args: unknown[]) => Promise<void>) | null;
    return guard && ((args: unknown[]) => refusals.byGuard(args[1] as JobContext, () => guard(args)));
  };
}

function watchPipes(creator: ExternalContextCreator, refusals: Refusals): void {
  const createPipesFn = creator.createPipesFn.bind(creator);
  creator.createPipesFn = (...given) => {
    const pipe = createPipesFn(...given);
    return pipe && ((args, ...called) => refusals.byPipe(called[1] as JobContext, () => pipe(args, ...called)));
  };
  const getParamValue = creator.getParamValue.bind(creator);
  creator.getParamValue = async (value, metadata, pipes) =>
    isForPipes(metadata) ? (getParamValue(value, metadata, pipes) as Promise<unknown>) : value;
}

function watchFilters(
  creator: ExternalContextCreator,
  next: (filters: Filters, thrown: unknown, host: Host) => Promise<unknown>,
): void {
  const proxy = Reflect.get(creator, 'externalErrorProxy') as { createProxy: CreateProxy };
  const createProxy = proxy.createProxy.bind(proxy);
  proxy.createProxy = (target, filters, type) =>
    createProxy(target, { next: (thrown, host) => next(filters as never, thrown, host) }, type);
}

async function filter(filters: Filters, thrown: unknown, host: Host): Promise<unknown> {
  return awaited(await filters.invokeCustomFilters(thrown, host));
}
