import type { JobState } from '../job/job-state.js';
import type { NodeState } from '../repository/inspection-repository.js';

/**
 * Why a job is not running, as far as the database can tell; as many as there are, the strongest first.
 *
 * @publicApi
 */
export type HoldReason =
  /** It has succeeded, failed or been cancelled. */
  | { readonly reason: 'ended'; readonly state: JobState }
  /** A node has it: it runs, or is about to. */
  | { readonly reason: 'running'; readonly node: string }
  /** The node that has it is gone, or does not beat: it runs again when a living node finds it. */
  | { readonly reason: 'node-gone'; readonly node: string; readonly state: Exclude<NodeState, 'alive'> }
  /** Its handler has returned, and nobody has acknowledged it; it is handled again after `until`. */
  | { readonly reason: 'not-acknowledged'; readonly until: Date }
  /** `pause()` was called for its type. */
  | { readonly reason: 'paused' }
  /** No node of the service is alive. */
  | { readonly reason: 'no-live-node' }
  /** Nodes are alive, and none of them handles its type. */
  | { readonly reason: 'no-handler'; readonly nodes: readonly string[] }
  /** Its steps have changed: no definition that has tried it could go on with it. It is tried again at `until`. */
  | { readonly reason: 'incompatible-steps'; readonly error: string; readonly until: Date }
  /** It waits for its time: it was scheduled, or is to be retried. */
  | { readonly reason: 'not-due'; readonly until: Date }
  /** Its deadline has passed: the next claim fails it as expired. */
  | { readonly reason: 'expired' }
  /** Every node that handles it runs as many jobs as it may. */
  | { readonly reason: 'concurrency-full'; readonly nodes: readonly FullNode[] }
  /** As many jobs of its type run in the whole cluster as `globalConcurrency` says. */
  | { readonly reason: 'global-concurrency-full'; readonly running: number; readonly limit: number }
  /** As many jobs with its concurrency key run as may; `key` is `undefined` for those without one, which share a limit. */
  | {
      readonly reason: 'concurrency-key-full';
      readonly key: string | undefined;
      readonly running: number;
      readonly limit: number;
    }
  /** It was stored by somebody who does not know its concurrency key: the next claims find it out, of the `ahead` due ones before it first. */
  | { readonly reason: 'key-not-known'; readonly ahead: number }
  /** As many jobs of its type have begun in the last `per` milliseconds as `rateLimit` says: the next may at `until`. */
  | { readonly reason: 'rate-limited'; readonly max: number; readonly per: number; readonly until: Date }
  /** Its process has died with it, `crashes` times after a first crash: it is on its last chance, and waits until it can run alone. */
  | { readonly reason: 'last-chance'; readonly crashes: number }
  /** Nothing is in its way but the due jobs of its type, where it has a concurrency `key` only those with the same one, that come before it. */
  | { readonly reason: 'next'; readonly ahead: number; readonly key: string | undefined };

/**
 * A node without a free slot for a type.
 *
 * @publicApi
 */
export interface FullNode {
  readonly node: string;
  readonly running: number;
  /** The type's, or the node's for all types together: whichever is reached. */
  readonly limit: number;
}

/**
 * The answer to "why is this job not running?"
 *
 * @publicApi
 */
export interface JobExplanation {
  readonly id: string;
  readonly type: string;
  readonly state: JobState;
  readonly reasons: readonly HoldReason[];
  /** The same for people, a sentence for each reason, in its order. */
  readonly sentences: readonly string[];
}
