import { readHistoryLength, readInnodbTransactions } from '../typeorm/doctor/innodb-facts.js';
import type { LongTransaction } from '../typeorm/doctor/long-transaction.js';
import type { Patient } from '../typeorm/doctor/patient.js';
import {
  countHiddenSessions,
  readAutovacuum,
  readBloat,
  readIdleSlots,
  readPostgresTransactions,
  type IdleSlot,
} from '../typeorm/doctor/postgres-facts.js';
import { findDamage, readSqlite } from '../typeorm/doctor/sqlite-facts.js';
import { error, levelOf, listed, MYSQL_FAMILY, ok, orFine, sizeOf, spanOf, warning } from './check.js';
import type { Check, Verdict } from './check.js';
import {
  DEAD_ROWS,
  FREE_SHARE,
  HISTORY_LENGTH,
  LARGEST_CHECKED,
  LEAST_DEAD_ROWS,
  LEAST_FREE,
  LOG_SIZE,
  LONG_TRANSACTION,
} from './thresholds.js';

const LEAST_SECONDS = LONG_TRANSACTION.warning / 1_000;

/** What a database has not cleaned up, and what keeps it from doing so. */
export const STORAGE_CHECKS: Check[] = [
  { name: 'innodb.purge', on: MYSQL_FAMILY, look: judgePurge },
  {
    name: 'innodb.transactions',
    on: MYSQL_FAMILY,
    look: async (patient) =>
      judgeTransactions(await patient.ask((tables) => readInnodbTransactions(tables, LEAST_SECONDS))),
  },
  { name: 'postgres.dead-rows', on: ['postgres'], look: judgeDeadRows },
  { name: 'postgres.autovacuum', on: ['postgres'], look: judgeAutovacuum },
  {
    name: 'postgres.transactions',
    on: ['postgres'],
    look: async (patient) => [
      ...judgeTransactions(await patient.ask((tables) => readPostgresTransactions(tables, LEAST_SECONDS))),
      ...judgeSlots(await patient.ask(readIdleSlots)),
      ...judgeHidden(await patient.ask(countHiddenSessions)),
    ],
  },
  { name: 'sqlite.log', on: ['sqlite'], look: judgeLog },
  { name: 'sqlite.free', on: ['sqlite'], look: judgeFree },
  { name: 'sqlite.integrity', on: ['sqlite'], look: judgeIntegrity },
];

async function judgePurge(patient: Patient): Promise<Verdict[]> {
  const length = await patient.ask(readHistoryLength);
  const message = `InnoDB has ${length} versions of rows to remove.`;
  const cure = 'End long transactions (innodb.transactions); if there are none, raise innodb_purge_threads.';
  return [levelOf(length, HISTORY_LENGTH)?.(message, cure) ?? ok(message)];
}

function judgeTransactions(transactions: readonly LongTransaction[]): Verdict[] {
  const verdicts = transactions.flatMap(({ what, seconds, cure }) => {
    const since = spanOf(seconds * 1_000);
    const message = `The transaction of ${what} has been open for ${since}: nothing that has ended since can be removed.`;
    return levelOf(seconds * 1_000, LONG_TRANSACTION)?.(message, cure) ?? [];
  });
  return orFine(verdicts, `No transaction has been open for ${spanOf(LONG_TRANSACTION.warning)}.`);
}

/** For how long is not told, and its reader may be about to come back: what has not been read would be lost with it. */
function judgeSlots(slots: readonly IdleSlot[]): Verdict[] {
  return slots.map(({ name, drop }) =>
    warning(
      `Nobody reads the replication slot '${name}': nothing that has ended since can be removed.`,
      `Reconnect its reader; or drop it, if nobody needs it: ${drop}`,
    ),
  );
}

function judgeHidden(sessions: number): Verdict[] {
  if (sessions === 0) return [];
  return [warning(`This user is not told what ${sessions} other sessions do.`, 'GRANT pg_read_all_stats TO the user.')];
}

async function judgeDeadRows(patient: Patient): Promise<Verdict[]> {
  const tables = await patient.ask(readBloat);
  const verdicts = tables.flatMap(({ table, live, dead, vacuumedAgo }) => {
    const tell = dead < LEAST_DEAD_ROWS ? undefined : levelOf(dead / (live + dead), DEAD_ROWS);
    const last = vacuumedAgo === undefined ? 'it has never been vacuumed' : `vacuumed ${spanOf(vacuumedAgo)} ago`;
    return tell?.(`${table} has ${dead} dead rows beside ${live} living ones, ${last}.`, `VACUUM ${table}`) ?? [];
  });
  return orFine(verdicts, 'Dead rows are removed in time.');
}

async function judgeAutovacuum(patient: Patient): Promise<Verdict[]> {
  const { off, offFor } = await patient.ask(readAutovacuum);
  return orFine(
    [
      ...off.map((name) => error(`${name} is off: dead rows are never removed.`, `ALTER SYSTEM SET ${name} = on`)),
      ...offFor.map((table) =>
        error(`Autovacuum is off for ${table}.`, `ALTER TABLE ${table} RESET (autovacuum_enabled)`),
      ),
    ],
    'Autovacuum is on.',
  );
}

async function judgeLog(patient: Patient): Promise<Verdict[]> {
  const { file, logBytes } = await patient.ask(readSqlite);
  const message = `The write-ahead log of ${file} has ${sizeOf(logBytes)}.`;
  const cure =
    'Find who reads without an end (an open cursor, a stopped process), then PRAGMA wal_checkpoint(TRUNCATE).';
  return [levelOf(logBytes, LOG_SIZE)?.(message, cure) ?? ok(message)];
}

async function judgeFree(patient: Patient): Promise<Verdict[]> {
  const { bytes, freeBytes } = await patient.ask(readSqlite);
  const message = `${sizeOf(freeBytes)} of the ${sizeOf(bytes)} of the file are free.`;
  const isMuch = freeBytes > LEAST_FREE && freeBytes > bytes * FREE_SHARE;
  return [isMuch ? warning(message, 'VACUUM, while nothing else runs, if the disk needs the space.') : ok(message)];
}

const MOST_DAMAGES = 10;

async function judgeIntegrity(patient: Patient): Promise<Verdict[]> {
  const { file, bytes } = await patient.ask(readSqlite);
  if (bytes > LARGEST_CHECKED)
    return [
      warning(
        `The file has ${sizeOf(bytes)}, and was not read through: that would take too long beside its other users.`,
        `sqlite3 ${file} 'PRAGMA quick_check'`,
      ),
    ];
  const damages = await patient.ask((tables) => findDamage(tables, MOST_DAMAGES));
  if (damages.length === 0) return [ok('The file is intact.')];
  return [error(`The file is damaged: ${listed(damages)}.`, 'Stop all processes, and restore a backup.')];
}
