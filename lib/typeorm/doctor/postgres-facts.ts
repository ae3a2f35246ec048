import type { QueueTables } from '../queue-tables.js';
import { optional, optionalNumber } from '../row.js';
import { statement, type Script } from '../statement.js';
import type { LongTransaction } from './long-transaction.js';

export interface BloatFacts {
  readonly table: string;
  readonly live: number;
  readonly dead: number;
  /** Milliseconds since the last one; `undefined`: there was none. */
  readonly vacuumedAgo: number | undefined;
}

/** As the statistics have it: they are a second late. */
export function* readBloat({ dialect, names }: QueueTables): Script<BloatFacts[]> {
  const ours = JSON.stringify(Object.values(names).map((name) => ({ name })));
  const { rows } = yield statement(
    'SELECT v.name AS place_of, s.n_live_tup AS live, s.n_dead_tup AS dead, ' +
      '(extract(epoch FROM statement_timestamp() - GREATEST(s.last_vacuum, s.last_autovacuum)) * 1000)::bigint AS ago ' +
      `FROM ${dialect.rows({ name: 'name' })} v JOIN pg_stat_user_tables s ON s.relid = to_regclass(v.name)`,
    [ours],
  );
  return rows.map((row) => ({
    table: String(row['place_of']),
    live: Number(row['live']),
    dead: Number(row['dead']),
    vacuumedAgo: optionalNumber(row['ago']),
  }));
}

export interface AutovacuumFacts {
  /** Settings of the server that keep it from running. */
  readonly off: readonly string[];
  readonly offFor: readonly string[];
}

export function* readAutovacuum({ dialect, names }: QueueTables): Script<AutovacuumFacts> {
  const ours = JSON.stringify(Object.values(names).map((name) => ({ name })));
  const settings = yield statement(
    "SELECT name FROM pg_settings WHERE name IN ('autovacuum', 'track_counts') AND setting = 'off'",
  );
  const tables = yield statement(
    `SELECT v.name AS place_of FROM ${dialect.rows({ name: 'name' })} v JOIN pg_class t ON t.oid = to_regclass(v.name), ` +
      "pg_options_to_table(t.reloptions) o WHERE o.option_name = 'autovacuum_enabled' AND o.option_value IN ('false', 'off', 'no', '0')",
    [ours],
  );
  return {
    off: settings.rows.map(({ name }) => String(name)),
    offFor: tables.rows.map(({ place_of: name }) => String(name)),
  };
}

/** Sessions and prepared transactions: each of them keeps every dead row of this database that it might still see. */
export function* readPostgresTransactions(_tables: QueueTables, seconds: number): Script<LongTransaction[]> {
  const sessions = yield statement(
    'SELECT pid, state, application_name AS client, extract(epoch FROM statement_timestamp() - xact_start)::bigint AS age ' +
      "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() " +
      'AND datname = current_database() AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL) ' +
      "AND xact_start < statement_timestamp() - ? * interval '1 second' ORDER BY xact_start LIMIT 10",
    [seconds],
  );
  const prepared = yield statement(
    'SELECT gid, extract(epoch FROM statement_timestamp() - prepared)::bigint AS age FROM pg_prepared_xacts ' +
      "WHERE database = current_database() AND prepared < statement_timestamp() - ? * interval '1 second' LIMIT 10",
    [seconds],
  );
  return [
    ...sessions.rows.map(({ pid, state, client, age }) => ({
      what: `session ${String(pid)} of '${optional(client) ?? ''}' (${String(state)})`,
      seconds: Number(age),
      cure: `SELECT pg_terminate_backend(${String(pid)})`,
    })),
    ...prepared.rows.map(({ gid, age }) => ({
      what: `prepared transaction '${String(gid)}'`,
      seconds: Number(age),
      cure: `ROLLBACK PREPARED '${String(gid)}'`,
    })),
  ];
}

export interface IdleSlot {
  readonly name: string;
  /** The statement that drops it. */
  readonly drop: string;
}

/** Replication slots that nobody reads and that keep dead rows. What a logical one keeps are those of the catalog alone. */
export function* readIdleSlots(): Script<IdleSlot[]> {
  const { rows } = yield statement(
    'SELECT slot_name AS slot FROM pg_replication_slots WHERE NOT active AND xmin IS NOT NULL LIMIT 10',
  );
  return rows.map(({ slot }) => ({ name: String(slot), drop: `SELECT pg_drop_replication_slot('${String(slot)}')` }));
}

/** Of how many sessions the server does not tell this user what they do. */
export function* countHiddenSessions(): Script<number> {
  const { rows } = yield statement(
    "SELECT COUNT(*) AS hidden FROM pg_stat_activity WHERE datname = current_database() AND query = '<insufficient privilege>'",
  );
  return Number(rows[0]?.['hidden']);
}
