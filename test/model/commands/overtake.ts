import * as fc from 'fast-check';
import type { Model } from '../model.js';
import { TYPES } from './enqueue.js';
import { claimLevel } from './claim.js';
import { command, pickLikely } from './command.js';
import { registerNode, rescueOrphans, stopHeart } from './nodes.js';
import { recordStarts } from './settle.js';

/** A node dies with what it holds, and another one takes over: whatever the old claims still write comes late. */
export const overtake = command('overtake', {
  argument: fc.record({
    claim: fc.nat(),
    hasStarted: fc.constantFrom(true, true, false),
    maxCrashes: fc.constantFrom(1, 2),
  }),
  isPossible: (model) => heldClaims(model).length > 0,
  async run(model, real, { claim, hasStarted, maxCrashes }) {
    // Again and again, as what kills its process would do it.
    const token = pickLikely(heldClaims(model), ({ id }) => model.job(id).suspect, claim);
    const { type, priority, node } = model.job(token.id);
    if (hasStarted) await recordStarts(model, real, [token]);
    const silent = model.nodes.get(node ?? '');
    if (silent?.state === 'alive') await stopHeart(real, silent);
    await rescueOrphans(model, real, 100);
    const heir = await registerNode(model, real, TYPES);
    await claimLevel(model, real, { node: heir, type, priority, limit: 100, deadline: undefined, maxCrashes });
  },
});

function heldClaims(model: Readonly<Model>) {
  return model.claims.filter((claim) => model.holds(claim));
}
