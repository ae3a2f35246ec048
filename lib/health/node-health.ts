import type { NodeLease } from '../node/node-lease.js';
import { isNode } from '../options/resolve-options.js';
import type { QueueParts } from './queue-parts.js';

/** One part of the answer. `none`: there is nothing to be healthy. */
export type Part = { readonly status: 'up' | 'down' | 'none'; readonly [detail: string]: unknown };

/** In milliseconds: far longer than the slowest driver takes to give a connection up. */
const HUNG_AFTER = 120_000;

/** Whether this process may run jobs: its node is alive, and has beaten within `limit` milliseconds. */
export function nodeHealth({ lease, options }: QueueParts, limit = options.leaseDuration): Part {
  if (!isNode(options.roles)) return { status: 'none', reason: 'this process only enqueues' };
  if (!lease.isStarted) return { status: 'down', reason: 'it has not been started, or is shutting down' };
  const beat = beatOf(lease);
  if (!lease.isAlive) return { status: 'down', ...beat, reason: 'it was found dead, and has not registered anew yet' };
  if (beat.sinceBeat > limit) return { status: 'down', ...beat, reason: `its last beat is older than ${limit} ms` };
  return { status: 'up', ...beat };
}

/** Whether only a new process can help: its heartbeat does not even fail any more. */
export function processHealth({ lease, options }: QueueParts): Part {
  if (!isNode(options.roles) || !lease.isStarted) return { status: 'none', reason: 'no node runs in this process' };
  const limit = Math.max(HUNG_AFTER, 3 * options.leaseBeat);
  const since = Math.round(lease.sinceTurn);
  if (since > limit)
    return { status: 'down', ...beatOf(lease), reason: `no heartbeat has come to an end for ${since} ms` };
  return { status: 'up', ...beatOf(lease) };
}

function beatOf(lease: NodeLease): { name: string; sinceBeat: number } {
  return { name: lease.name, sinceBeat: Math.round(lease.sinceBeat) };
}
