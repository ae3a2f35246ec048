import { violation } from './violation.mjs';

const KIND = 'taken-from-the-living';

/** Jobs are taken away only from nodes that have been silent for a whole lease. */
export function* checkNodes({ attempts, nodes }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  for (const { job_id: job, fence, node, ended_at: endedAt, reason } of attempts) {
    if (reason !== 'crash') continue;
    const { name, state, expires_at: expiresAt } = byId.get(Number(node.split('#').at(-1))) ?? {};
    const taken = `job ${job} (fence ${fence}) was taken from`;
    if (state === 'alive') yield violation(KIND, `${taken} the living node ${name}`);
    if (state === 'dead' && endedAt < expiresAt)
      yield violation(KIND, `${taken} node ${name} ${expiresAt - endedAt} ms before its lease ran out`);
  }
}
