import { Injectable } from '@nestjs/common';
import { DuplicateHandlerError } from '../errors/duplicate-handler.error.js';
import type { HandledType } from '../job/handled-type.js';
import { toldLimits, type JobLimits } from '../job/job-limits.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { KnownTypes } from '../queue/known-types.js';
import type { RegisteredHandler } from './registered-handler.js';

/** Which handler runs which type. */
@Injectable()
export class JobHandlerRegistry {
  private readonly handlers = new Map<string, RegisteredHandler>();

  constructor(
    private readonly options: ResolvedOptions,
    private readonly known: KnownTypes,
  ) {}

  register(handler: RegisteredHandler): void {
    const first = this.handlers.get(handler.type);
    if (first !== undefined) throw new DuplicateHandlerError(handler.type, first.name, handler.name);
    this.replace(handler);
  }

  unregister(type: string): void {
    this.handlers.delete(type);
    this.known.delete(type);
  }

  get(type: string): RegisteredHandler | undefined {
    return this.handlers.get(type);
  }

  limitsOf(type: string): JobLimits | undefined {
    return this.handlers.get(type)?.options.limits;
  }

  /** All types that have a handler here. */
  get all(): string[] {
    return [...this.handlers.keys()];
  }

  /** The types whose jobs this process claims: those with a handler here, less those that the options leave to others. */
  get types(): string[] {
    return this.own.filter(({ options }) => options.operation === undefined).map(({ type }) => type);
  }

  /** The same, as the other processes know them. */
  get handledTypes(): HandledType[] {
    return this.types.flatMap((type) => {
      const handler = this.handlers.get(type);
      if (handler === undefined) return [];
      const { concurrency, deadline, maxCrashes, limits } = handler.options;
      return [
        {
          type,
          concurrency,
          deadline,
          maxCrashes: handler.plan?.maxCrashes ?? maxCrashes,
          limits: limits && toldLimits(limits),
        },
      ];
    });
  }

  /** Those whose jobs are rows of the application's tables. */
  get operations(): RegisteredHandler[] {
    return this.own.filter(({ options }) => options.operation !== undefined);
  }

  /** Their types, also where others run them. */
  get operationTypes(): string[] {
    return [...this.handlers.values()].filter(({ options }) => options.operation !== undefined).map(({ type }) => type);
  }

  /** From now on `handler` runs its type. */
  replace(handler: RegisteredHandler): void {
    this.handlers.set(handler.type, handler);
    const { schema, limits } = handler.options;
    this.known.set(handler.type, { schema, keySource: limits?.key?.from });
  }

  private get own(): RegisteredHandler[] {
    const { roles, include, exclude } = this.options;
    if (!roles.has('work')) return [];
    return [...this.handlers.values()].filter(({ type }) => (include?.has(type) ?? true) && !exclude.has(type));
  }
}
