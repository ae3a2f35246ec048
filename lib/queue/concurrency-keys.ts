import { Injectable } from '@nestjs/common';
import { InvalidJobError } from '../errors/invalid-job.error.js';
import { concurrencyKeyFault, storedConcurrencyKey, type KeySource } from '../job/concurrency-key.js';
import type { JobType } from '../job/job-type.js';
import type { NewJob } from '../job/job.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import type { JobDefinition } from './job-definition.js';

/**
 * What says under which key jobs run: options of this process's handlers, of its module and of definitions. A process that knows none
 * stores jobs without a key, and the first node that would claim them files them.
 */
@Injectable()
export class ConcurrencyKeys {
  private readonly ofHandlers = new Map<string, KeySource>();

  constructor(private readonly options: ResolvedOptions) {}

  /** What the handler of the type, which is in this process, goes by. */
  set(type: string, from: KeySource | undefined): void {
    if (from === undefined) this.ofHandlers.delete(type);
    else this.ofHandlers.set(type, from);
  }

  file(given: JobType | JobDefinition<unknown>, jobs: readonly NewJob[]): readonly NewJob[] {
    const from = this.find(given);
    return from === undefined ? jobs : jobs.map((job) => ({ ...job, concurrencyKey: keyOf(from, job) }));
  }

  private find(given: JobType | JobDefinition<unknown>): KeySource | undefined {
    const { type, options } = typeof given === 'object' ? given : { type: String(given), options: undefined };
    return (
      this.ofHandlers.get(type) ?? this.options.handlers[type]?.concurrencyKey?.from ?? options?.concurrencyKey?.from
    );
  }
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
