import { LONGEST_DURATION } from '../../support/duration.js';
import type { Dialect } from '../dialects/dialect.js';
import { ENDLESS_RETRIES } from '../row.js';
import type { Index, Table } from './define-table.js';

export function jobTable(dialect: Dialect, name: string): Table {
  return { name, columns: jobColumns(dialect), constraints: JOB_CHECKS, indexes: jobIndexes(dialect, name) };
}

/** Plain SQL is a producer: service, type and payload are enough, every other column has a default. */
function jobColumns({
  types: { id, bigint, integer, name, text },
  now,
  insertsReturning,
  partialIndexes,
}: Dialect): Record<string, string> {
  return {
    id,
    service: `${name(64)} NOT NULL`,
    type: `${name(128)} NOT NULL`,
    state: `${name(9)} NOT NULL DEFAULT 'waiting'`,
    priority: `${integer} NOT NULL DEFAULT 0`,
    concurrency_key: `${name(255)} NOT NULL DEFAULT ''`,
    due: `${bigint} NOT NULL DEFAULT (${now})`,
    fence: `${bigint} NOT NULL DEFAULT 0`,
    ...moments(['node_id', 'started_at', 'finished_at', 'expires_at', 'delivered_at'], bigint),
    deadline: `${bigint} NULL`,
    retries: `${integer} NOT NULL DEFAULT 0`,
    crashes: `${integer} NOT NULL DEFAULT 0`,
    max_retries: `${integer} NULL`,
    max_crashes: `${integer} NOT NULL DEFAULT 3`,
    suspect: `${integer} NOT NULL DEFAULT 0`,
    ack_timeout: `${bigint} NOT NULL DEFAULT 0`,
    keep_succeeded: `${bigint} NULL`,
    keep_failed: `${bigint} NULL`,
    created_at: `${bigint} NOT NULL DEFAULT (${now})`,
    job_key: `${name(255)} NULL`,
    key_scope: `${name(7)} NOT NULL DEFAULT 'row'`,
    past_key: `${name(255)} NULL`,
    reference: `${name(255)} NULL`,
    trace_id: `${name(255)} NULL`,
    progress: `${text} NULL`,
    payload: `${text} NULL`,
    result: `${text} NULL`,
    last_error: `${text} NULL`,
    ...(insertsReturning ? {} : { batch: `${bigint} NULL` }),
    ...(partialIndexes ? {} : { key_type: ofKeyed('type', name(128)), key_service: ofKeyed('service', name(64)) }),
  };
}

/**
 * A member of a Galera cluster takes changes of two jobs for a conflict when their entries in a unique index are the same, and does
 * not mind that one of the columns is NULL, which makes them different for everybody else: all of them must be NULL.
 */
function ofKeyed(column: string, type: string): string {
  return `${type} GENERATED ALWAYS AS (CASE WHEN job_key IS NULL THEN NULL ELSE ${column} END) STORED`;
}

/**
 * 0 stands for none. To InnoDB a NULL is a shorter row: a row that grows with each change is moved about in its page, which costs a
 * quarter of the speed.
 */
function moments(columns: readonly string[], bigint: string): Record<string, string> {
  return Object.fromEntries(columns.map((column) => [column, `${bigint} NOT NULL DEFAULT 0`]));
}

/** The last moment that a Date can be. To SQLite, words are larger than any number. */
const LAST = 8_640_000_000_000_000;

/** They keep out what no claim would ever find, and times with which no statement and no Date could calculate. */
const JOB_CHECKS = [
  "CHECK (state IN ('scheduled', 'waiting', 'running', 'succeeded', 'failed', 'cancelled'))",
  "CHECK (state <> 'running' OR node_id > 0)",
  'CHECK (priority BETWEEN 0 AND 9)',
  `CHECK (due BETWEEN 0 AND ${LAST})`,
  `CHECK (deadline BETWEEN -${LAST} AND ${LAST})`,
  `CHECK (max_retries BETWEEN 0 AND ${ENDLESS_RETRIES})`,
  `CHECK (ack_timeout BETWEEN 0 AND ${LONGEST_DURATION})`,
  `CHECK (keep_succeeded BETWEEN 0 AND ${LONGEST_DURATION})`,
  `CHECK (keep_failed BETWEEN 0 AND ${LONGEST_DURATION})`,
  "CHECK (type <> '' AND service <> '')",
  "CHECK (key_scope IN ('row', 'open', 'forever'))",
];

function jobIndexes(dialect: Dialect, table: string): Index[] {
  const byState: Index[] = dialect.partialIndexes
    ? [
        {
          name: `${table}_claim`,
          columns: 'service, type, concurrency_key, priority, due, id',
          where: "state = 'waiting'",
        },
        { name: `${table}_due`, columns: 'service, due', where: "state = 'scheduled'" },
        { name: `${table}_running`, columns: 'service, node_id', where: "state = 'running'" },
        { name: `${table}_expiry`, columns: 'service, expires_at', where: 'expires_at > 0' },
      ]
    : [
        { name: `${table}_claim`, columns: 'service, state, type, concurrency_key, priority, due, id' },
        { name: `${table}_due`, columns: 'service, state, due' },
        { name: `${table}_expiry`, columns: 'service, expires_at' },
      ];
  const key = dialect.partialIndexes ? 'service, type, job_key' : 'job_key, key_type, key_service';
  return [
    ...byState,
    // Where they can be partial: a planner without statistics would otherwise claim through them.
    { name: `${table}_key`, columns: key, unique: true, where: 'job_key IS NOT NULL' },
    { name: `${table}_reference`, columns: 'service, reference', where: 'reference IS NOT NULL' },
  ];
}
