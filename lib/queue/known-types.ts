import { Injectable } from '@nestjs/common';
import type { KeySource } from '../job/concurrency-key.js';
import type { JobType } from '../job/job-type.js';
import type { StandardSchema } from '../job/standard-schema.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import type { JobDefinition } from './job-definition.js';

/** What of a type's options concerns its jobs before they are stored. */
export interface KnownType {
  readonly schema: StandardSchema | undefined;
  readonly keySource: KeySource | undefined;
}

/** What this process knows of job types when it enqueues: of its handlers, of its module's options and of definitions, in this order. */
@Injectable()
export class KnownTypes {
  private readonly ofHandlers = new Map<string, KnownType>();

  constructor(private readonly options: ResolvedOptions) {}

  /** What the handler of the type, which is in this process, will go by. */
  set(type: string, known: KnownType): void {
    this.ofHandlers.set(type, known);
  }

  delete(type: string): void {
    this.ofHandlers.delete(type);
  }

  find(given: JobType | JobDefinition<unknown>): KnownType {
    const { type, options } = typeof given === 'object' ? given : { type: String(given), options: undefined };
    const handler = this.ofHandlers.get(type);
    const own = this.options.handlers[type];
    return {
      schema: handler?.schema ?? own?.schema ?? options?.schema,
      keySource: handler?.keySource ?? own?.concurrencyKey?.from ?? options?.concurrencyKey?.from,
    };
  }
}
