import type { Connected } from './queue-connection.js';
import { missingSlots } from './slot-plan.js';
import { insertSlots, type KnownSlot, type Slot } from './statements/slots.js';

/** Those that have never been wanted before. Not in the transaction of a claim. */
export async function addSlots(
  { database, tables }: Connected,
  type: string,
  wanted: readonly Slot[],
  known: readonly KnownSlot[],
): Promise<void> {
  const missing = missingSlots(wanted, known);
  if (missing.length > 0) await database.query(insertSlots(tables, type, missing));
}
