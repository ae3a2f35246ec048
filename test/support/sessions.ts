import type { DataSource } from 'typeorm';

/** One connection, as its server lists it. */
export interface Session {
  id: string;
  /** What its client calls itself, where the server keeps that. */
  name: string | null;
}

/** Not autovacuum's, nor the workers of a parallel query: they come and go as they like. */
const POSTGRES =
  'SELECT pid AS id, application_name AS name FROM pg_stat_activity ' +
  "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
const MARIADB =
  'SELECT id, NULL AS name FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()';
/** MySQL's information_schema fails while any statement of any other test contains an emoji. */
const MYSQL =
  'SELECT t.processlist_id AS id, a.attr_value AS name FROM performance_schema.threads t ' +
  "LEFT JOIN performance_schema.session_connect_attrs a ON a.processlist_id = t.processlist_id AND a.attr_name = 'program_name' " +
  'WHERE t.processlist_db = DATABASE() AND t.processlist_id <> CONNECTION_ID()';

/** The other connections to the observer's database. */
export function sessionsBeside(observer: DataSource): Promise<Session[]> {
  const { type } = observer.options;
  return observer.query(type === 'postgres' ? POSTGRES : type === 'mariadb' ? MARIADB : MYSQL);
}

/** Ends every other connection to the observer's database, whatever it is doing; answers how many there were. */
export async function endSessionsBeside(observer: DataSource): Promise<number> {
  const sessions = await sessionsBeside(observer);
  for (const { id } of sessions) {
    const sql = observer.options.type === 'postgres' ? `SELECT pg_terminate_backend(${id})` : `KILL ${id}`;
    // It may have ended by itself since.
    await observer.query(sql).catch(() => undefined);
  }
  return sessions.length;
}
