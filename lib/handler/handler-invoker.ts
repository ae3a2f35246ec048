import { Injectable } from '@nestjs/common';
import {
  ContextIdFactory,
  ExternalContextCreator,
  ModuleRef,
  type ApplicationConfig,
  type ContextId,
} from '@nestjs/core';
import { REQUEST_CONTEXT_ID } from '@nestjs/core/router/request/request-constants.js';
import type { JobFacts } from '../events/queue-event.js';
import { QueueEvents, toldOf } from '../events/queue-events.js';
import type { JobContext } from '../job/job-context.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { awaited, untilAborted } from '../support/observables.js';
import type { DecoratedMethod } from './decorated-method.scanner.js';
import { executionContexts, withoutGlobals, type NestContainer } from './execution-contexts.js';
import { GlobalEnhancers } from './global-enhancers.js';
import { HandlerClock } from './handler-clock.js';
import { describeParameters, parametersFactory } from './handler-parameters.js';
import { hasPipes, isEnhanced } from './nest-metadata.js';
import type { Invoke } from './registered-handler.js';

type Method = (this: object, ...args: unknown[]) => unknown;
/** From an instance, and the context that it was made in, to what calls it. */
type Bind = (instance: object, contextId?: ContextId) => Invoke;

const ENHANCERS = { guards: true, interceptors: true, filters: true };

/** Calls a handler as Nest calls a controller: through its guards, interceptors, pipes and filters, with context type 'job'. */
@Injectable()
export class HandlerInvoker {
  private readonly container: NestContainer;
  private readonly creator: ExternalContextCreator;

  constructor(
    private readonly moduleRef: ModuleRef,
    private readonly clock: HandlerClock,
    events: QueueEvents,
    { globalEnhancers }: ResolvedOptions,
  ) {
    const container = Reflect.get(moduleRef, 'container') as NestContainer;
    this.container = globalEnhancers ? container : withoutGlobals(container);
    this.creator = executionContexts(this.container, (job, error) =>
      events.emit({ name: 'job.filter-failed', job: factsOf(job), ...toldOf(error) }),
    );
  }

  create(decorated: DecoratedMethod<unknown>, type: string): Invoke {
    const { instance, provider } = decorated;
    // When handlers are looked up: `app.useGlobalPipes()` has been called by then.
    const globals = new GlobalEnhancers(this.container.applicationConfig as ApplicationConfig);
    const bind = this.binder(decorated, type, globals);
    if (instance !== undefined && globals.perJob.length === 0) return bind(instance);
    return async (payload, job, ...more) => {
      const contextId = this.contextOf(job, provider.isDependencyTreeDurable());
      for (const token of globals.perJob) await this.moduleRef.resolve(token, contextId, { strict: false });
      const own = instance ?? (await this.moduleRef.resolve<object>(provider.token, contextId, { strict: false }));
      return bind(own, contextId)(payload, job, ...more);
    };
  }

  /** One for each call: what a step has in memory must not seem to be there for the next one, which may run in another process. */
  private contextOf(job: JobContext, isDurable: boolean): ContextId {
    const contextId = ContextIdFactory.getByRequest(job);
    // Whoever resolves more for the job finds the same context by it.
    Object.defineProperty(job, REQUEST_CONTEXT_ID, { value: contextId });
    this.moduleRef.registerRequestByContextId(isDurable ? (contextId.payload ?? job) : job, contextId);
    return contextId;
  }

  private binder(decorated: DecoratedMethod<unknown>, type: string, globals: GlobalEnhancers): Bind {
    const { method, provider } = decorated;
    const owners = ownersOf(decorated);
    const callback = Reflect.get(decorated.class.prototype as object, method) as Method;
    const timed = this.timed(callback, method, type);
    // Nest's way costs several microseconds even when there is nothing on it.
    if (globals.isEmpty && !isEnhanced(owners, method, callback))
      return (instance) =>
        async (...args) =>
          awaited(await Reflect.apply(timed, instance, args));
    const parameters = describeParameters(owners, method, globals.hasPipes || hasPipes(owners, callback));
    return (instance, contextId) =>
      this.creator.create(
        instance,
        timed,
        method,
        parameters,
        parameters === undefined ? undefined : parametersFactory,
        contextId,
        provider.id,
        ENHANCERS,
        'job',
      ) as Invoke;
  }

  /**
   * The same method to Nest: guards and the like are looked up on it, and the prototype leads to them. An Observable that it returns
   * ends with the attempt.
   */
  private timed(callback: Method, method: string, type: string): Method {
    const { clock } = this;
    const timed: Method = function (...args) {
      const started = performance.now();
      try {
        const own = Reflect.get(this, method) as Method;
        return untilAborted(own.apply(this, args), () => (args[1] as JobContext).signal);
      } finally {
        clock.called(type, performance.now() - started);
      }
    };
    Object.defineProperty(timed, 'name', { value: callback.name });
    return Object.setPrototypeOf(timed, callback) as Method;
  }
}

/** A class decorator may have put a proxy before the class, and metadata may be on either. */
function ownersOf({ class: owner, provider: { metatype } }: DecoratedMethod<unknown>): object[] {
  const declared = (owner.prototype as object).constructor;
  return [...new Set([owner, declared, ...(typeof metatype === 'function' ? [metatype] : [])])];
}

function factsOf({ id, type, attempt, delivery, traceId }: JobContext): JobFacts {
  return { id, type, attempt, fence: delivery, traceId };
}
