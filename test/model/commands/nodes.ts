import { expect } from '@jest/globals';
import * as fc from 'fast-check';
import type { Model } from '../model.js';
import { LEASE } from '../model-state.js';
import type { RealQueue } from '../real-queue.js';
import { command, pick } from './command.js';
import { TYPES } from './enqueue.js';

export async function registerNode(model: Model, { fixture }: RealQueue, types: readonly string[]): Promise<void> {
  const name = `node ${model.nodes.size}`;
  const id = await fixture.repository.registerNode({ name, types });
  model.nodes.set(id, { id, name, types, state: 'alive', expiresAt: Date.now() + LEASE });
}

export const register = command('register', {
  argument: fc.subarray([...TYPES]),
  run: registerNode,
});

const node = fc.nat();

export const beat = command('beat', {
  argument: node,
  isPossible: hasNodes,
  async run(model, { fixture }, index) {
    const id = pick(model.nodes.keys(), index);
    expect(await fixture.repository.beat(id)).toBe(model.beat(id));
  },
});

export const retire = command('retire', {
  argument: node,
  isPossible: hasNodes,
  async run(model, { fixture }, index) {
    const retired = pick(model.nodes.values(), index);
    await fixture.repository.retireNode(retired.id);
    if (retired.state === 'alive') retired.state = 'stopped';
  },
});

/** Its heart has stopped, and nobody has looked yet. */
export const expire = command('expire', {
  argument: node,
  isPossible: (model) => [...model.nodes.values()].some(({ state }) => state === 'alive'),
  async run(model, { fixture }, index) {
    const silent = pick(
      [...model.nodes.values()].filter(({ state }) => state === 'alive'),
      index,
    );
    silent.expiresAt = Date.now() - LEASE;
    await fixture.sql('UPDATE pq_node SET expires_at = ? WHERE id = ?', [silent.expiresAt, silent.id]);
  },
});

export const rescue = command('rescue', {
  argument: fc.constantFrom(1, 100, 100),
  async run(model, { fixture }, limit) {
    const rescued = await fixture.repository.rescue(limit);
    model.findDead();
    const orphans = model.all((job) => model.isOrphan(job)).map(({ id }) => id);
    // Which of them, is not promised.
    expect(rescued).toHaveLength(Math.min(orphans.length, limit));
    expect(orphans).toEqual(expect.arrayContaining(rescued.map(({ id }) => id)));
    expect(rescued).toEqual(rescued.map(({ id }) => model.rescue(id)));
  },
});

export const claimsOf = command('claimsOf', {
  argument: node,
  isPossible: hasNodes,
  async run(model, { fixture }, index) {
    const id = pick(model.nodes.keys(), index);
    const claims = await fixture.repository.claimsOf(id);
    expect(claims.toSorted((a, b) => Number(a.id) - Number(b.id))).toEqual(
      model.all((job) => job.node === id).map(({ id: job, fence }) => ({ id: job, fence })),
    );
  },
});

function hasNodes(model: Readonly<Model>): boolean {
  return model.nodes.size > 0;
}
