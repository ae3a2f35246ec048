import type { HeldLock, LockAnswer, LockRequest } from '../../lock/lock-repository.js';
import type { Dialect } from '../dialects/dialect.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Script, type Statement } from '../statement.js';
import { holdRow } from './hold-row.js';
import { insertFree } from './locks.js';

/** A table that other programs lock with too: one row for each name, without a fence. */
export interface Shedlock {
  readonly name: string;
  readonly clock: ShedlockClock;
  /** For the statements that ours need; of no service, because the other table knows none either. */
  readonly tables: QueueTables;
}

/** Times as the table has them: made and compared by the database, and told to nobody. */
interface ShedlockClock {
  readonly now: string;
  /** `?` seconds after `from`. */
  readonly after: (from: string) => string;
  /** Milliseconds until then. */
  readonly left: (column: string) => string;
}

export function shedlockOf(tables: QueueTables, name: string): Shedlock {
  return { name, clock: CLOCKS[tables.dialect.name], tables: { ...tables, service: '' } };
}

/** Takes the other table's row, and with it in hand the next fence: nobody else can have a newer one before both are committed. */
export function* takeShedlock(shedlock: Shedlock, request: LockRequest): Script<LockAnswer> {
  const { name: table, clock, tables } = shedlock;
  const { name, token, owner, atMost } = request;
  const { dialect, names } = tables;
  yield statement(
    `INSERT INTO ${table} (lock_name, lock_until, locked_at, locked_by) VALUES (?, ${clock.now}, ${clock.now}, '') ` +
      // This column: MySQL would set it anew with any other one.
      dialect.skipDuplicates('lock_until'),
    [name],
  );
  const { affected } = yield statement(
    `UPDATE ${table} SET lock_until = ${clock.after(clock.now)}, locked_at = ${clock.now}, locked_by = ? ` +
      `WHERE lock_name = ? AND lock_until <= ${clock.now}`,
    [wholeSeconds(atMost), token, name],
  );
  if (affected === 0) return { freeIn: 0 };
  yield insertFree(tables, name);
  yield statement(
    `UPDATE ${names.lock} SET fence = fence + 1, token = ?, owner = ?, locked_at = ${dialect.now}, locked_until = ${dialect.now} + ? ` +
      'WHERE service = ? AND name = ?',
    [token, owner, atMost, tables.service, name],
  );
  const { rows } = yield statement(`SELECT fence FROM ${names.lock} WHERE service = ? AND name = ?`, [
    tables.service,
    name,
  ]);
  return { fence: Number(rows[0]?.['fence']) };
}

/** In how many milliseconds the row runs out; no row: nobody has it. */
export function selectShedlock({ name: table, clock }: Shedlock, name: string): Statement {
  return statement(`SELECT ${clock.left('lock_until')} AS free_in FROM ${table} WHERE lock_name = ?`, [name]);
}

export function renewShedlock(
  { name: table, clock, tables: { dialect } }: Shedlock,
  { name, token }: HeldLock,
  duration: number,
): Statement {
  const until = dialect.greatest('lock_until', clock.after(clock.now));
  return statement(
    `UPDATE ${table} SET lock_until = ${until} WHERE lock_name = ? AND locked_by = ? AND lock_until > ${clock.now}`,
    [wholeSeconds(duration), name, token],
  );
}

export function holdShedlock(
  { name: table, clock, tables: { dialect } }: Shedlock,
  { name, token }: HeldLock,
): Script<boolean> {
  return holdRow(dialect, {
    table,
    where: `lock_name = ? AND locked_by = ? AND lock_until > ${clock.now}`,
    parameters: [name, token],
    // Forth and back by a second; the other column would be set anew with any other one.
    flip: 'locked_at = TIMESTAMPADD(SECOND, 1 - 2 * (SECOND(locked_at) % 2), locked_at), lock_until = lock_until',
  });
}

/** Without its token, so that a renewal that is still on its way finds nothing to renew. */
export function releaseShedlock(
  { name: table, clock, tables: { dialect } }: Shedlock,
  { name, token }: HeldLock,
  atLeast: number,
): Statement {
  const until = dialect.greatest(clock.after('locked_at'), clock.now);
  return statement(`UPDATE ${table} SET lock_until = ${until}, locked_by = '' WHERE lock_name = ? AND locked_by = ?`, [
    atLeast === 0 ? 0 : wholeSeconds(atLeast),
    name,
    token,
  ]);
}

export function* createShedlock(dialect: Dialect, table: string): Script<void> {
  for (const sql of dialect.lockSchema) yield statement(sql);
  try {
    yield statement(DEFINITIONS[dialect.name](table));
  } finally {
    for (const sql of dialect.unlockSchema) yield statement(sql);
  }
}

/** One more: the clock of such a table has no parts of a second, so that what is now may be nearly a second ago. */
function wholeSeconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1_000) + 1;
}

/** A TIMESTAMP is kept in UTC; both sides of each comparison are in the session's zone. */
const MYSQL_CLOCK: ShedlockClock = {
  now: 'NOW()',
  after: (from) => `TIMESTAMPADD(SECOND, ?, ${from})`,
  left: (column) => `(UNIX_TIMESTAMP(${column}) - UNIX_TIMESTAMP()) * 1000`,
};

const CLOCKS: Readonly<Record<Dialect['name'], ShedlockClock>> = {
  mariadb: MYSQL_CLOCK,
  mysql: MYSQL_CLOCK,
  postgres: {
    now: 'statement_timestamp()',
    after: (from) => `${from} + ?::integer * interval '1 second'`,
    left: (column) => `extract(epoch FROM ${column} - statement_timestamp()) * 1000`,
  },
  sqlite: {
    now: "datetime('now')",
    after: (from) => `datetime(${from}, CAST(? AS INTEGER) || ' seconds')`,
    left: (column) => `(julianday(${column}) - julianday('now')) * 86400000`,
  },
};

const mysqlTable = (table: string) =>
  `CREATE TABLE IF NOT EXISTS \`${table}\` (
    \`lock_name\` varchar(64) NOT NULL COMMENT 'lock key',
    \`lock_until\` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP COMMENT 'lock expiry time',
    \`locked_at\` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP COMMENT 'lock time',
    \`locked_by\` varchar(255) NOT NULL COMMENT 'who lock',
    PRIMARY KEY (\`lock_name\`)
  ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`;

const DEFINITIONS: Readonly<Record<Dialect['name'], (table: string) => string>> = {
  mariadb: mysqlTable,
  mysql: mysqlTable,
  postgres: (table) =>
    `CREATE TABLE IF NOT EXISTS ${table} (lock_name varchar(64) COLLATE "C" PRIMARY KEY, ` +
    'lock_until timestamptz NOT NULL DEFAULT now(), locked_at timestamptz NOT NULL DEFAULT now(), locked_by varchar(255) NOT NULL)',
  sqlite: (table) =>
    `CREATE TABLE IF NOT EXISTS ${table} (lock_name TEXT PRIMARY KEY, lock_until TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, ` +
    'locked_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, locked_by TEXT NOT NULL)',
};
