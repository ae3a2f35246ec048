import type { Dialect } from '../dialects/dialect.js';
import type { Table } from './define-table.js';

/**
 * What jobs of types with limits take when they are claimed. `kind`: of the whole `type`, of a `key`, or of a `rate`. The first two are free
 * when no job runs under this id and fence, and nothing has to be written for that: whatever ends a claim frees its slots with it.
 */
export function slotTable({ types: { bigint, integer, name } }: Dialect, table: string): Table {
  return {
    name: table,
    columns: {
      service: `${name(64)} NOT NULL`,
      type: `${name(128)} NOT NULL`,
      kind: `${name(4)} NOT NULL`,
      slot_key: `${name(255)} NOT NULL DEFAULT ''`,
      n: `${integer} NOT NULL`,
      job_id: `${bigint} NOT NULL DEFAULT 0`,
      fence: `${bigint} NOT NULL DEFAULT 0`,
      taken_at: `${bigint} NOT NULL DEFAULT 0`,
    },
    constraints: ['PRIMARY KEY (service, type, kind, slot_key, n)'],
  };
}
