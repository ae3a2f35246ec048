import type { Dialect } from '../dialects/dialect.js';
import type { Table } from './define-table.js';

/** The history: one row for each attempt that has ended. */
export function attemptTable({ types: { bigint, integer, name, text } }: Dialect, table: string): Table {
  return {
    name: table,
    columns: {
      job_id: `${bigint} NOT NULL`,
      fence: `${bigint} NOT NULL`,
      service: `${name(64)} NOT NULL`,
      attempt: `${integer} NOT NULL`,
      node: `${name(255)} NOT NULL`,
      started_at: `${bigint} NULL`,
      ended_at: `${bigint} NOT NULL`,
      outcome: `${name(16)} NOT NULL`,
      reason: `${name(16)} NULL`,
      error: `${text} NULL`,
    },
    constraints: ['PRIMARY KEY (job_id, fence)'],
    indexes: [{ name: `${table}_end`, columns: 'service, ended_at' }],
  };
}

/** Lines that handlers have logged. */
export function logTable({ types: { bigint, integer, text } }: Dialect, table: string): Table {
  return {
    name: table,
    columns: {
      job_id: `${bigint} NOT NULL`,
      fence: `${bigint} NOT NULL`,
      line: `${integer} NOT NULL`,
      logged_at: `${bigint} NOT NULL`,
      message: `${text} NOT NULL`,
    },
    constraints: ['PRIMARY KEY (job_id, fence, line)'],
  };
}

/** One row for each incarnation of a process. */
export function nodeTable({ types: { id, bigint, integer, name, text } }: Dialect, table: string): Table {
  return {
    name: table,
    columns: {
      id,
      service: `${name(64)} NOT NULL`,
      name: `${name(255)} NOT NULL`,
      state: `${name(9)} NOT NULL`,
      registered_at: `${bigint} NOT NULL`,
      beat_at: `${bigint} NOT NULL`,
      expires_at: `${bigint} NOT NULL`,
      types: `${text} NOT NULL`,
      // For people: what is handled, and by whom, is known by the types alone.
      concurrency: `${integer} NOT NULL DEFAULT 0`,
      limits: `${text} NULL`,
      // The node's own clock against the database's when it registered, in milliseconds: every other time is the database's.
      clock_skew: `${bigint} NOT NULL DEFAULT 0`,
    },
    // Nothing that a heartbeat writes is in it.
    indexes: [{ name: `${table}_state`, columns: 'service, state' }],
  };
}

/** The types that are paused. */
export function pauseTable({ types: { name } }: Dialect, table: string): Table {
  return {
    name: table,
    columns: { service: `${name(64)} NOT NULL`, type: `${name(128)} NOT NULL` },
    constraints: ['PRIMARY KEY (service, type)'],
  };
}

/** One row for each name that was ever locked. */
export function lockTable({ types: { bigint, name } }: Dialect, table: string): Table {
  return {
    name: table,
    columns: {
      service: `${name(64)} NOT NULL`,
      name: `${name(255)} NOT NULL`,
      fence: `${bigint} NOT NULL`,
      token: `${name(36)} NOT NULL`,
      owner: `${name(255)} NOT NULL`,
      locked_at: `${bigint} NOT NULL`,
      locked_until: `${bigint} NOT NULL`,
    },
    constraints: ['PRIMARY KEY (service, name)'],
  };
}

export function schemaTable({ types: { bigint, integer }, now }: Dialect, table: string): Table {
  return {
    name: table,
    columns: { version: `${integer} NOT NULL PRIMARY KEY`, applied_at: `${bigint} NOT NULL DEFAULT (${now})` },
  };
}
