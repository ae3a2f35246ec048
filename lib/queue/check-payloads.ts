import { applySchema } from '../job/apply-schema.js';
import type { NewJob } from '../job/job.js';
import type { StandardSchema } from '../job/standard-schema.js';

/** As JSON leaves them: what is accepted here is what will be accepted when it runs. One after the other: a schema may ask a database. */
export async function checkPayloads(schema: StandardSchema, jobs: readonly NewJob[]): Promise<void> {
  for (const [place, { type, payload }] of jobs.entries()) {
    const index = jobs.length > 1 ? place : undefined;
    const read = applySchema(schema, JSON.parse(payload), { type, at: 'enqueue', index });
    if (read instanceof Promise) await read;
  }
}
