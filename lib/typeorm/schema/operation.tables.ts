import type { Dialect } from '../dialects/dialect.js';
import type { Table } from './define-table.js';

/** Rows of the application's tables that have begun and not ended. In times, 0 stands for none. */
export function operationRowTable({ types: { bigint, integer, name, text }, now }: Dialect, table: string): Table {
  return {
    name: table,
    columns: {
      service: `${name(64)} NOT NULL`,
      operation: `${name(128)} NOT NULL`,
      row_id: `${name(255)} NOT NULL`,
      retries: `${integer} NOT NULL DEFAULT 0`,
      crashes: `${integer} NOT NULL DEFAULT 0`,
      suspect: `${integer} NOT NULL DEFAULT 0`,
      due: `${bigint} NOT NULL DEFAULT 0`,
      started_at: `${bigint} NOT NULL DEFAULT 0`,
      fence: `${bigint} NOT NULL DEFAULT 0`,
      node: `${name(255)} NOT NULL DEFAULT ''`,
      last_error: `${text} NULL`,
      updated_at: `${bigint} NOT NULL DEFAULT (${now})`,
    },
    constraints: ['PRIMARY KEY (service, operation, row_id)'],
    indexes: [{ name: `${table}_update`, columns: 'service, updated_at' }],
  };
}

/** Their history. */
export function operationAttemptTable({ types: { bigint, integer, name, text } }: Dialect, table: string): Table {
  return {
    name: table,
    columns: {
      service: `${name(64)} NOT NULL`,
      operation: `${name(128)} NOT NULL`,
      row_id: `${name(255)} NOT NULL`,
      fence: `${bigint} NOT NULL`,
      turn: `${bigint} NOT NULL`,
      attempt: `${integer} NOT NULL`,
      node: `${name(255)} NOT NULL`,
      started_at: `${bigint} NULL`,
      ended_at: `${bigint} NOT NULL`,
      outcome: `${name(16)} NOT NULL`,
      reason: `${name(16)} NULL`,
      error: `${text} NULL`,
      log: `${text} NULL`,
    },
    constraints: ['PRIMARY KEY (service, operation, row_id, fence, turn)'],
    indexes: [{ name: `${table}_end`, columns: 'service, ended_at' }],
  };
}
