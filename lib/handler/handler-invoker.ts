import { Injectable } from '@nestjs/common';
import { ApplicationConfig, ContextIdFactory, ExternalContextCreator, ModuleRef, type ContextId } from '@nestjs/core';
import type { JobContext } from '../job/job-context.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { awaited, untilAborted } from '../support/observables.js';
import type { DecoratedMethod } from './decorated-method.scanner.js';
import { HandlerClock } from './handler-clock.js';
import type { Invoke } from './registered-handler.js';

type NestContainer = Parameters<typeof ExternalContextCreator.fromContainer>[0];

/** Calls a handler as Nest calls a controller: through its guards, interceptors and filters, with context type 'job'. */
@Injectable()
export class HandlerInvoker {
  private readonly creator: ExternalContextCreator;

  constructor(
    private readonly moduleRef: ModuleRef,
    private readonly clock: HandlerClock,
    private readonly options: ResolvedOptions,
  ) {
    const container = Reflect.get(moduleRef, 'container') as NestContainer;
    this.creator = ExternalContextCreator.fromContainer(
      options.globalEnhancers ? container : withoutGlobals(container),
    );
    this.creator.transformToResult = async (returned) => awaited(returned);
  }

  create({ class: owner, method, instance }: DecoratedMethod<unknown>, type: string): Invoke {
    if (instance !== undefined) return this.bind(instance, method, type);
    return async (payload, job, ...more) => {
      const contextId = ContextIdFactory.create();
      this.moduleRef.registerRequestByContextId(job, contextId);
      const fresh = await this.moduleRef.resolve<object>(owner, contextId, { strict: false });
      return this.bind(fresh, method, type, contextId)(payload, job, ...more);
    };
  }

  private bind(instance: object, method: string, type: string, contextId?: ContextId): Invoke {
    const callback = Reflect.get(instance, method) as (...args: unknown[]) => unknown;
    const enhancers = {
      guards: true,
      interceptors: true,
      filters: this.options.globalEnhancers || hasFilters(instance, callback),
    };
    const invoke = this.creator.create(
      instance,
      this.timed(callback, type),
      method,
      undefined,
      undefined,
      contextId,
      undefined,
      enhancers,
      'job',
    ) as Invoke;
    // What a filter answers is not looked at by Nest: an Observable of an error would be a success.
    return enhancers.filters ? async (...args) => awaited(await invoke(...args)) : invoke;
  }

  /**
   * The same method to Nest: guards and the like are looked up on it, and the prototype leads to them. An Observable that it returns
   * ends with the attempt.
   */
  private timed(callback: (...args: unknown[]) => unknown, type: string): (...args: unknown[]) => unknown {
    const { clock } = this;
    const timed = function (this: unknown, ...args: unknown[]): unknown {
      const started = performance.now();
      try {
        return untilAborted(callback.apply(this, args), () => (args[1] as JobContext).signal);
      } finally {
        clock.called(type, performance.now() - started);
      }
    };
    Object.defineProperty(timed, 'name', { value: callback.name });
    return Object.setPrototypeOf(timed, callback) as typeof timed;
  }
}

/** Without a filter of the handler's own, Nest's would only log the error that the queue's logger tells about. */
function hasFilters(instance: object, callback: object): boolean {
  const key = '__exceptionFilters__';
  return Reflect.hasMetadata(key, callback) || Reflect.hasMetadata(key, instance.constructor);
}

/** The same container, seen without the enhancers of the whole application: an APP_GUARD made for HTTP would deny every job. */
function withoutGlobals(container: NestContainer): NestContainer {
  return Object.create(container, { applicationConfig: { value: new ApplicationConfig() } }) as NestContainer;
}
