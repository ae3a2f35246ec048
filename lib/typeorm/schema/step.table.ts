import type { Dialect } from '../dialects/dialect.js';
import type { Table } from './define-table.js';

/** One row for each step of a job that has begun. In times, 0 stands for none. */
export function stepTable({ types: { bigint, integer, name, text } }: Dialect, table: string): Table {
  return {
    name: table,
    columns: {
      job_id: `${bigint} NOT NULL`,
      name: `${name(255)} NOT NULL`,
      kind: `${name(8)} NOT NULL`,
      parent: `${name(255)} NOT NULL DEFAULT ''`,
      place: `${integer} NOT NULL`,
      state: `${name(9)} NOT NULL`,
      attempts: `${integer} NOT NULL DEFAULT 0`,
      description: `${text} NULL`,
      input: `${text} NULL`,
      context: `${text} NULL`,
      result: `${text} NULL`,
      error: `${text} NULL`,
      started_at: `${bigint} NOT NULL DEFAULT 0`,
      ended_at: `${bigint} NOT NULL DEFAULT 0`,
      wake_at: `${bigint} NOT NULL DEFAULT 0`,
    },
    constraints: ['PRIMARY KEY (job_id, name)'],
  };
}
