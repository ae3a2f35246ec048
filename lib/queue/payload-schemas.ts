import { Injectable } from '@nestjs/common';
import { applySchema } from '../job/apply-schema.js';
import type { JobType } from '../job/job-type.js';
import type { NewJob } from '../job/job.js';
import type { StandardSchema } from '../job/standard-schema.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import type { JobDefinition } from './job-definition.js';

/** Which schemas payloads have to pass before they are stored: those of this process's handlers, of its options and of definitions. */
@Injectable()
export class PayloadSchemas {
  private readonly ofHandlers = new Map<string, StandardSchema>();

  constructor(private readonly options: ResolvedOptions) {}

  /** What the handler of the type, which is in this process, will be asked to accept. */
  set(type: string, schema: StandardSchema | undefined): void {
    if (schema === undefined) this.ofHandlers.delete(type);
    else this.ofHandlers.set(type, schema);
  }

  /** `undefined`: there is nothing to wait for. */
  check(given: JobType | JobDefinition<unknown>, jobs: readonly NewJob[]): Promise<void> | undefined {
    const schema = this.find(given);
    return schema && checkAll(schema, jobs);
  }

  private find(given: JobType | JobDefinition<unknown>): StandardSchema | undefined {
    const { type, options } = typeof given === 'object' ? given : { type: String(given), options: undefined };
    return this.ofHandlers.get(type) ?? this.options.handlers[type]?.schema ?? options?.schema;
  }
}

/** As JSON leaves them: what is accepted here is what will be accepted when it runs. One after the other: a schema may ask a database. */
async function checkAll(schema: StandardSchema, jobs: readonly NewJob[]): Promise<void> {
  for (const [place, { type, payload }] of jobs.entries()) {
    const index = jobs.length > 1 ? place : undefined;
    const read = applySchema(schema, JSON.parse(payload), { type, at: 'enqueue', index });
    if (read instanceof Promise) await read;
  }
}
