import * as fc from 'fast-check';
import { acknowledge } from './acknowledge.js';
import { claim, promote, survey } from './claim.js';
import type { QueueCommand } from './command.js';
import { enqueue, enqueueInTransaction, insertByHand } from './enqueue.js';
import { beat, claimsOf, expire, register, rescue, retire } from './nodes.js';
import { change, look, pause, resume, retryBatch } from './operate.js';
import { overtake } from './overtake.js';
import { settle, settleInTransaction, start } from './settle.js';
import { pass, prune } from './time.js';

/** What a queue's life consists of comes more often than what seldom happens to it. */
export const anyCommand: fc.Arbitrary<QueueCommand> = fc.oneof(
  ...often(8, claim),
  ...often(6, enqueue, settle, change),
  ...often(4, overtake, acknowledge),
  ...often(3, start, prune, insertByHand, retryBatch),
  ...often(2, rescue, expire, beat, promote, settleInTransaction),
  ...often(1, register, retire, pass, enqueueInTransaction, survey, pause, resume, look, claimsOf),
);

function often(weight: number, ...commands: fc.Arbitrary<QueueCommand>[]) {
  return commands.map((arbitrary) => ({ weight, arbitrary }));
}
