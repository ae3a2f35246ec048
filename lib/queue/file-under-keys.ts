import { InvalidJobError } from '../errors/invalid-job.error.js';
import { concurrencyKeyFault, storedConcurrencyKey, type KeySource } from '../job/concurrency-key.js';
import type { NewJob } from '../job/job.js';

/** A process that knows no `from` stores jobs without a key: the first node that would claim them files them. */
export function fileUnderKeys(from: KeySource, jobs: readonly NewJob[]): readonly NewJob[] {
  return jobs.map((job) => ({ ...job, concurrencyKey: keyOf(from, job) }));
}

/** Of the payload as JSON leaves it: what a node that has only the row would find. */
function keyOf(from: KeySource, { type, payload }: NewJob): string {
  const parsed: unknown = JSON.parse(payload);
  const field = `concurrency key of '${type}'`;
  let answer: ReturnType<KeySource>;
  try {
    answer = from(parsed as never);
  } catch (cause) {
    const cure = 'Its concurrencyKey.from throws for this payload: let it answer nothing for what has no key.';
    throw new InvalidJobError(field, parsed, cure, { cause });
  }
  const fault = concurrencyKeyFault(answer);
  if (fault !== undefined) throw new InvalidJobError(field, answer, `Its concurrencyKey.from answers this. ${fault}`);
  return storedConcurrencyKey(answer);
}
