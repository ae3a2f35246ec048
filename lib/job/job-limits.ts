import type { KeySource } from './concurrency-key.js';
import type { HandledLimits } from './handled-type.js';

/** How many jobs of a type may run, or begin, in the whole cluster: at least one of the three. */
export interface JobLimits {
  /** Running jobs of the type. */
  readonly concurrency: number | undefined;
  /** Running jobs for each key. */
  readonly key: { readonly from: KeySource; readonly limit: number } | undefined;
  /** Starts in any `per` milliseconds. */
  readonly rate: { readonly max: number; readonly per: number } | undefined;
}

/** As the other processes know them: without what only this one can call. */
export function toldLimits({ concurrency, key, rate }: JobLimits): HandledLimits {
  return { concurrency, perKey: key?.limit, rate };
}
