import { expect } from '@jest/globals';
import * as fc from 'fast-check';
import type { Model } from '../model.js';
import { DAY, HOUR } from '../model-state.js';
import type { RealQueue } from '../real-queue.js';
import { command } from './command.js';

const ALL_RETENTION = 31.1 * DAY;

/** No sum of them comes near a delay, a retention or a lease: nothing hangs on milliseconds. */
const SPANS = [2.4 * HOUR, 2.4 * HOUR, 8.2 * DAY, ALL_RETENTION];

export const pass = command('pass', { argument: fc.constantFrom(...SPANS), run: letPass });

/** The clock cannot be moved, so all that has been written is. Nodes that live have beaten meanwhile. */
async function letPass(model: Model, real: RealQueue, span: number): Promise<void> {
  model.pass(span);
  real.moveClock(span);
  const { sql, service } = real.fixture;
  const older = (...columns: string[]) => columns.map((column) => `${column} = ${column} - ${span}`).join(', ');
  await sql(`UPDATE pq_job SET ${older('due', 'deadline')} WHERE service = ?`, [service]);
  // 0 stands for none.
  await sql(`UPDATE pq_job SET ${older('expires_at')} WHERE service = ? AND expires_at > 0`, [service]);
  await sql(`UPDATE pq_attempt SET ${older('ended_at')} WHERE service = ?`, [service]);
  await sql(`UPDATE pq_node SET ${older('expires_at')} WHERE service = ? AND state <> 'alive'`, [service]);
}

export const prune = command('prune', {
  argument: fc.constantFrom(0, ALL_RETENTION),
  async run(model, real, after) {
    if (after > 0) await letPass(model, real, after);
    expect(await real.fixture.repository.prune(500)).toBe(model.prune());
  },
});
