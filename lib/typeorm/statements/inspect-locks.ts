import type { LockStatus } from '../../repository/inspection-repository.js';
import type { QueueTables } from '../queue-tables.js';
import { statement, type Row, type Script, type Statement } from '../statement.js';
import { byBytes } from './gaps.js';
import type { Shedlock } from './shedlock.js';

export function selectLocks({ dialect, names, service }: QueueTables): Statement {
  const held = `CASE WHEN token <> '' AND locked_until > ${dialect.now} THEN 1 ELSE 0 END`;
  return statement(
    `SELECT name, owner, fence, token, locked_at, locked_until, ${held} AS held FROM ${names.lock} WHERE service = ? AND fence > 0`,
    [service],
  );
}

export function readLocks(rows: readonly Row[]): LockStatus[] {
  return rows.map(readLock).sort((a, b) => byBytes(a.name, b.name));
}

/**
 * Who holds a lock, and until when, is in the table that is shared with other programs; what ours is called, and its fence, is in our
 * own. Of other programs' locks only the first is known.
 */
export function* inspectShedlock({ name: table, clock, tables }: Shedlock): Script<LockStatus[]> {
  const ours = new Map((yield selectLocks(tables)).rows.map((row) => [String(row['name']), row]));
  const shared = yield statement(
    `SELECT lock_name, locked_by, ${clock.left('lock_until')} AS held_for, ${clock.left('locked_at')} AS locked_in, ` +
      `${tables.dialect.now} AS now FROM ${table}`,
  );
  const rows = shared.rows.map((row): Row => {
    const [name, holder, now] = [String(row['lock_name']), String(row['locked_by']), Number(row['now'])];
    const known = ours.get(name);
    const isOurs = known !== undefined && (holder === '' || String(known['token']) === holder);
    const heldFor = Number(row['held_for']);
    return {
      name,
      owner: isOurs ? known['owner'] : holder,
      fence: known?.['fence'] ?? 0,
      locked_at: now + Number(row['locked_in']),
      locked_until: now + heldFor,
      held: holder !== '' && heldFor > 0 ? 1 : 0,
    };
  });
  return readLocks(rows);
}

function readLock(row: Row): LockStatus {
  return {
    name: String(row['name']),
    owner: String(row['owner']),
    fence: Number(row['fence']),
    lockedAt: new Date(Number(row['locked_at'])),
    lockedUntil: new Date(Number(row['locked_until'])),
    held: Number(row['held']) > 0,
  };
}
