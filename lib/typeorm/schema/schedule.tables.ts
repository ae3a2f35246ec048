import { LONGEST_DURATION } from '../../support/duration.js';
import type { Dialect } from '../dialects/dialect.js';
import type { Table } from './define-table.js';

/** The last moment that a Date can be. */
const LAST = 8_640_000_000_000_000;

/** Plain SQL may write all but the plan: service, name, spec and type are enough. In times, 0 stands for none. */
export function scheduleTable(dialect: Dialect, table: string): Table {
  return {
    name: table,
    columns: { ...definitionColumns(dialect), ...planColumns(dialect) },
    constraints: SCHEDULE_CHECKS,
    indexes: [{ name: `${table}_name`, columns: 'service, name', unique: true }],
  };
}

function definitionColumns({ types: { id, bigint, integer, name, text }, now }: Dialect): Record<string, string> {
  return {
    id,
    service: `${name(64)} NOT NULL`,
    name: `${name(200)} NOT NULL`,
    spec: `${name(255)} NOT NULL`,
    time_zone: `${name(64)} NOT NULL DEFAULT 'UTC'`,
    type: `${name(128)} NOT NULL`,
    payload: `${text} NULL`,
    enabled: `${integer} NOT NULL DEFAULT 1`,
    misfire: `${name(4)} NOT NULL DEFAULT 'once'`,
    misfire_limit: `${integer} NOT NULL DEFAULT 100`,
    overlap: `${name(5)} NOT NULL DEFAULT 'allow'`,
    jitter: `${bigint} NOT NULL DEFAULT 0`,
    starts_at: `${bigint} NOT NULL DEFAULT 0`,
    ends_at: `${bigint} NOT NULL DEFAULT 0`,
    alert_after: `${bigint} NOT NULL DEFAULT 0`,
    description: `${text} NULL`,
    extra: `${text} NULL`,
    created_at: `${bigint} NOT NULL DEFAULT (${now})`,
  };
}

function planColumns({ types: { bigint, integer, name, text } }: Dialect): Record<string, string> {
  return {
    // What code has declared, as JSON: an edit stays until the declaration itself changes.
    declared: `${text} NULL`,
    gone: `${integer} NOT NULL DEFAULT 0`,
    // What the plan was made from: an edit by plain SQL shows as a difference.
    planned_spec: `${name(255)} NOT NULL DEFAULT ''`,
    planned_zone: `${name(64)} NOT NULL DEFAULT ''`,
    planned_start: `${bigint} NOT NULL DEFAULT 0`,
    planned_end: `${bigint} NOT NULL DEFAULT 0`,
    planned_at: `${bigint} NOT NULL DEFAULT 0`,
    next_fire: `${bigint} NOT NULL DEFAULT 0`,
    last_fire: `${bigint} NOT NULL DEFAULT 0`,
    queued: `${integer} NOT NULL DEFAULT 0`,
    broken: `${text} NULL`,
    succeeded_at: `${bigint} NOT NULL DEFAULT 0`,
    late: `${integer} NOT NULL DEFAULT 0`,
  };
}

const SCHEDULE_CHECKS = [
  "CHECK (service <> '' AND name <> '' AND type <> '')",
  'CHECK (enabled IN (0, 1))',
  "CHECK (misfire IN ('skip', 'once', 'all'))",
  'CHECK (misfire_limit BETWEEN 1 AND 1000)',
  "CHECK (overlap IN ('allow', 'skip', 'queue'))",
  ...['starts_at', 'ends_at'].map((column) => `CHECK (${column} BETWEEN 0 AND ${LAST})`),
  ...['jitter', 'alert_after'].map((column) => `CHECK (${column} BETWEEN 0 AND ${LONGEST_DURATION})`),
];

/** One row for each fire time that something became of: no two nodes can fire the same. */
export function firingTable({ types: { bigint, integer, name } }: Dialect, table: string): Table {
  return {
    name: table,
    columns: {
      schedule_id: `${bigint} NOT NULL`,
      fire_at: `${bigint} NOT NULL`,
      manual: `${integer} NOT NULL DEFAULT 0`,
      outcome: `${name(7)} NOT NULL`,
      job_id: `${bigint} NOT NULL DEFAULT 0`,
    },
    constraints: ['PRIMARY KEY (schedule_id, fire_at, manual)'],
    indexes: [{ name: `${table}_outcome`, columns: 'schedule_id, outcome, fire_at' }],
  };
}
