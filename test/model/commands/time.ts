import { expect } from '@jest/globals';
import * as fc from 'fast-check';
import { DAY, HOUR } from '../model-state.js';
import { command } from './command.js';

/** No sum of them comes near a delay, a retention or a lease: nothing hangs on milliseconds. */
const SPANS = [2.4 * HOUR, 2.4 * HOUR, 8.2 * DAY, 31.1 * DAY];

/** The clock cannot be moved, so all that has been written is. Nodes that live have beaten meanwhile. */
export const pass = command('pass', {
  argument: fc.constantFrom(...SPANS),
  async run(model, { fixture }, span) {
    model.pass(span);
    const { sql, service } = fixture;
    const older = (...columns: string[]) => columns.map((column) => `${column} = ${column} - ${span}`).join(', ');
    await sql(`UPDATE pq_job SET ${older('due', 'deadline', 'expires_at')} WHERE service = ?`, [service]);
    await sql(`UPDATE pq_attempt SET ${older('ended_at')} WHERE service = ?`, [service]);
    await sql(`UPDATE pq_node SET ${older('expires_at')} WHERE service = ? AND state <> 'alive'`, [service]);
  },
});

export const prune = command('prune', {
  argument: fc.constant(undefined),
  async run(model, { fixture }) {
    expect(await fixture.repository.prune(500)).toBe(model.prune());
  },
});
