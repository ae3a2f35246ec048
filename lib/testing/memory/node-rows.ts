import type { NodeDescription } from '../../repository/job-repository.js';
import type { MemoryStore } from './memory-store.js';

/** Answers the id of the new node. */
export function addNode(store: MemoryStore, service: string, node: NodeDescription, lease: number): number {
  const { now } = store;
  const id = store.nextId('node');
  const times = { registered_at: now, beat_at: now, expires_at: now + lease };
  store.nodes.set(id, { ...node, ...times, id, service, state: 'alive' });
  return id;
}

/** Marks nodes without a heartbeat. */
export function findDead({ nodes, now }: MemoryStore, service: string): void {
  for (const node of nodes.values())
    if (node.service === service && node.state === 'alive' && node.expires_at < now) node.state = 'dead';
}
