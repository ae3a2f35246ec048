import type { QueueTables } from '../queue-tables.js';
import { statement, type Statement } from '../statement.js';

export function pauseType({ dialect, names, service }: QueueTables, type: string): Statement {
  return statement(`INSERT INTO ${names.pause} (service, type) VALUES (?, ?) ${dialect.skipDuplicates('type')}`, [
    service,
    type,
  ]);
}

export function resumeType({ names, service }: QueueTables, type: string): Statement {
  return statement(`DELETE FROM ${names.pause} WHERE service = ? AND type = ?`, [service, type]);
}
