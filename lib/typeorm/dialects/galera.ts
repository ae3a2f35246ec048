import type { Dialect } from './dialect.js';

/** What waits until the member knows all that was committed before: SELECT and START TRANSACTION, UPDATE and DELETE. */
const READS = 1;
const CHANGES = 2;

const SESSION = [
  // A process whose connections lead to another member than before would not find there what it has written.
  `SET SESSION wsrep_sync_wait = ${READS + CHANGES}`,
  // A member that runs a statement again answers its first try: an INSERT … RETURNING the ids of rows that were rolled back.
  'SET SESSION wsrep_retry_autocommit = 0',
];

/** The same database as a member of a Galera cluster. */
export function inGalera(dialect: Dialect): Dialect {
  return { ...dialect, locksAreLocal: true, sessionSetup: [...dialect.sessionSetup, ...SESSION] };
}
