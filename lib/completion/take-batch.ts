import type { Settlement } from '../job/settlement.js';

/** A batch is one parameter of one statement, and servers bound the size of a statement: MariaDB at 16 MiB by default. */
const LARGEST_BYTES = 4 * 1024 * 1024;

/** Removes from the front of `pending` what fits into one batch: at least one. */
export function takeBatch(pending: Settlement[], most: number): Settlement[] {
  let bytes = 0;
  let count = 0;
  for (const settlement of pending) {
    bytes += sizeOf(settlement);
    if (count === most || (count > 0 && bytes > LARGEST_BYTES)) break;
    count++;
  }
  return pending.splice(0, count);
}

function sizeOf({ result = '', attempt, notes }: Settlement): number {
  const error = attempt?.error === undefined ? 0 : JSON.stringify(attempt.error).length;
  const lines = notes?.lines.reduce((sum, { message }) => sum + message.length, 0) ?? 0;
  return result.length + error + lines;
}
