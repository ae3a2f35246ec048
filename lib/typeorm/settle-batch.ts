import { UnwritableError } from '../errors/unwritable.error.js';
import type { Settlement } from '../job/settlement.js';
import type { Connected } from './queue-connection.js';
import { areOneStatement, settleJobs } from './statements/settle-jobs.js';

/** Ends claims, all in one transaction. Not tried again in here: the completer does so, without the others having to wait. */
export async function settleBatch(
  { database, tables }: Connected,
  settlements: readonly Settlement[],
  node: string,
): Promise<string[]> {
  try {
    const script = () => settleJobs(tables, settlements, node);
    const isOne = areOneStatement(tables, settlements);
    return await (isOne ? database.run(script, { patience: 0 }) : database.transaction(script, { patience: 0 }));
  } catch (error) {
    if (tables.dialect.isRefused(error)) throw new UnwritableError('refused', error);
    if (tables.dialect.isLockTimeout(error)) throw new UnwritableError('locked', error);
    throw error;
  }
}
