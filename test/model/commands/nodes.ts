import { expect } from '@jest/globals';
import * as fc from 'fast-check';
import { handled } from '../../support/queue-fixture.js';
import type { Model } from '../model.js';
import { LEASE, type ModelNode } from '../model-state.js';
import type { RealQueue } from '../real-queue.js';
import { command, pickLikely } from './command.js';
import { TYPES } from './enqueue.js';

export async function registerNode(model: Model, { fixture }: RealQueue, types: readonly string[]): Promise<string> {
  const name = `node ${model.nodes.size}`;
  const id = await fixture.repository.registerNode({ name, concurrency: 100, types: handled(...types) });
  model.nodes.set(id, { id, name, types, state: 'alive', expiresAt: Date.now() + LEASE });
  return id;
}

export const register = command('register', {
  argument: fc.subarray([...TYPES]),
  async run(model, real, types) {
    await registerNode(model, real, types);
  },
});

interface NodeChoice {
  readonly isAlive: boolean;
  readonly index: number;
}

/** Most of them live; the others do not know yet that they have been given up. */
export const anyNode: fc.Arbitrary<NodeChoice> = fc.record({
  isAlive: fc.constantFrom(true, true, true, false),
  index: fc.nat(),
});

export function nodeOf(model: Model, { isAlive, index }: NodeChoice): ModelNode {
  return pickLikely(model.nodes.values(), ({ state }) => (state === 'alive') === isAlive, index);
}

export const beat = command('beat', {
  argument: fc.record({ isAlive: fc.constantFrom(true, false, false), index: fc.nat() }),
  isPossible: hasNodes,
  async run(model, { fixture }, choice) {
    const { id } = nodeOf(model, choice);
    expect(await fixture.repository.beat(id)).toBe(model.beat(id));
  },
});

export const retire = command('retire', {
  argument: anyNode,
  isPossible: hasNodes,
  async run(model, { fixture }, choice) {
    const retired = nodeOf(model, choice);
    await fixture.repository.retireNode(retired.id);
    if (retired.state === 'alive') retired.state = 'stopped';
  },
});

export const expire = command('expire', {
  argument: fc.nat(),
  isPossible: (model) => [...model.nodes.values()].some(({ state }) => state === 'alive'),
  run: (model, real, index) => stopHeart(real, nodeOf(model, { isAlive: true, index })),
});

/** And nobody has looked yet. */
export async function stopHeart({ fixture }: RealQueue, node: ModelNode): Promise<void> {
  node.expiresAt = Date.now() - LEASE;
  await fixture.sql('UPDATE pq_node SET expires_at = ? WHERE id = ?', [node.expiresAt, node.id]);
}

export const rescue = command('rescue', {
  argument: fc.constantFrom(1, 100, 100),
  run: rescueOrphans,
});

export async function rescueOrphans(model: Model, { fixture }: RealQueue, limit: number): Promise<void> {
  const rescued = await fixture.repository.rescue(limit);
  model.findDead();
  const orphans = model.all((job) => model.isOrphan(job)).map(({ id }) => id);
  // Which of them, is not promised.
  expect(rescued).toHaveLength(Math.min(orphans.length, limit));
  expect(orphans).toEqual(expect.arrayContaining(rescued.map(({ id }) => id)));
  expect(rescued).toEqual(rescued.map(({ id }) => model.rescue(id)));
}

export const claimsOf = command('claimsOf', {
  argument: anyNode,
  isPossible: hasNodes,
  async run(model, { fixture }, choice) {
    const { id } = nodeOf(model, choice);
    const claims = await fixture.repository.claimsOf(id);
    expect(claims.toSorted((a, b) => Number(a.id) - Number(b.id))).toEqual(
      model.all((job) => job.node === id).map(({ id: job, fence }) => ({ id: job, fence })),
    );
  },
});

function hasNodes(model: Readonly<Model>): boolean {
  return model.nodes.size > 0;
}
