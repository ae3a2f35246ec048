import type { SlotKind, TakenSlot } from '../../repository/inspection-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Row, type Statement } from '../statement.js';

/**
 * What is taken of the limits of a job: of its type, of its key, and of its type's rate, each one stretch of the primary key. A slot is
 * taken while its job runs under the fence that took it; when one of a rate is free again, only the handlers know.
 */
export function selectSlots({ dialect, names, service }: QueueTables, type: string, key: string): Statement {
  const slots =
    `SELECT s.kind, s.n, s.taken_at, ${dialect.now} - s.taken_at AS age FROM ${names.slot} s ` +
    'WHERE s.service = ? AND s.type = ? AND s.kind = ? AND s.slot_key = ?';
  const isHeld = `EXISTS (SELECT 1 FROM ${names.job} j WHERE j.id = s.job_id AND j.fence = s.fence AND j.state = 'running')`;
  const ranges = [
    ['type', ''],
    ['key', key],
    ['rate', ''],
  ] as const;
  return statement(
    `${slots} AND ${isHeld} UNION ALL ${slots} AND ${isHeld} UNION ALL ${slots}`,
    ranges.flatMap((range) => [service, type, ...range]),
  );
}

export function readSlot(row: Row): TakenSlot {
  const takenAt = new Date(Number(row['taken_at']));
  return { kind: String(row['kind']) as SlotKind, n: Number(row['n']), takenAt, age: Number(row['age']) };
}
