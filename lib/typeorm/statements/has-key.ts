import type { Dialect } from '../dialects/dialect.js';

/** What a key belongs to: an expression each. */
interface Key {
  readonly service: string;
  readonly type: string;
  readonly key: string;
}

/**
 * Leads to the one row with this key by the unique index. MariaDB and MySQL know nothing of what its columns are made of: with the others they
 * would read, and lock, the rows of all services and types with the same key. `row`: the alias of the table, with its dot.
 */
export function hasKey({ partialIndexes }: Dialect, { service, type, key }: Key, row = ''): string {
  const [ofService, ofType] = partialIndexes ? ['service', 'type'] : ['key_service', 'key_type'];
  return `${row}${ofService} = ${service} AND ${row}${ofType} = ${type} AND ${row}job_key = ${key}`;
}
