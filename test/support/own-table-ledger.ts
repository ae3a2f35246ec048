import type { TestDatabase } from './databases.js';

interface Ledger {
  /** Of the key of an entry. */
  readonly key: string;
  /** By the database's clock, in milliseconds. */
  readonly now: string;
  /** What makes an entry of each update and of each new holder, in the same transaction. */
  readonly triggers: readonly string[];
}

const LED = "INSERT INTO entry (what, fence, owner) SELECT 'led', NEW.fence, NEW.owner";
const ended = (claimed: string) =>
  `INSERT INTO entry (what, row_id, status, fence, owner, claimed) SELECT 'ended', NEW.id, NEW.job_status, l.fence, l.owner, ${claimed} FROM pq_lock l`;
const inPostgres = (name: string, sql: string) =>
  `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN ${sql}; RETURN NULL; END$$`;

const MYSQL: Ledger = {
  key: 'BIGINT AUTO_INCREMENT PRIMARY KEY',
  now: 'CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)',
  triggers: [
    `CREATE TRIGGER keep_led AFTER UPDATE ON pq_lock FOR EACH ROW ${LED} FROM DUAL WHERE NEW.fence <> OLD.fence`,
    `CREATE TRIGGER keep_ended AFTER UPDATE ON async_job_tab FOR EACH ROW ${ended('@claimed')}`,
  ],
};

const LEDGERS: Readonly<Record<TestDatabase['name'], Ledger>> = {
  mariadb: MYSQL,
  mysql: MYSQL,
  postgres: {
    key: 'bigserial PRIMARY KEY',
    now: '(extract(epoch FROM clock_timestamp()) * 1000)::bigint',
    triggers: [
      inPostgres('keep_led', LED),
      'CREATE TRIGGER keep_led AFTER UPDATE ON pq_lock FOR EACH ROW WHEN (NEW.fence <> OLD.fence) EXECUTE FUNCTION keep_led()',
      inPostgres('keep_ended', ended("current_setting('test.claimed')::bigint")),
      'CREATE TRIGGER keep_ended AFTER UPDATE ON async_job_tab FOR EACH ROW EXECUTE FUNCTION keep_ended()',
    ],
  },
  sqlite: {
    key: 'INTEGER PRIMARY KEY AUTOINCREMENT',
    now: "CAST(strftime('%s', 'now') * 1000 + substr(strftime('%f', 'now'), 4) AS INTEGER)",
    triggers: [
      'CREATE TABLE writer (claimed BIGINT)',
      'INSERT INTO writer (claimed) VALUES (0)',
      `CREATE TRIGGER keep_led AFTER UPDATE ON pq_lock WHEN NEW.fence <> OLD.fence BEGIN ${LED}; END`,
      `CREATE TRIGGER keep_ended AFTER UPDATE ON async_job_tab BEGIN ${ended('w.claimed')}, writer w; END`,
    ],
  },
};

/**
 * The tables that tell what happened to the rows of async_job_tab: `begun`, written by handlers, and `entry`, by triggers. An update has
 * locked the lock's row, so that the keys of entries are in the order of commits.
 */
export function ledgerTables(name: TestDatabase['name']): string[] {
  const { key, now, triggers } = LEDGERS[name];
  const at = `at BIGINT NOT NULL DEFAULT (${now})`;
  return [
    `CREATE TABLE begun (seq ${key}, row_id BIGINT NOT NULL, fence BIGINT NOT NULL, pid BIGINT NOT NULL, ${at})`,
    'CREATE INDEX begun_row ON begun (row_id)',
    `CREATE TABLE entry (seq ${key}, what VARCHAR(5) NOT NULL, row_id BIGINT, status INTEGER, fence BIGINT NOT NULL, ` +
      `owner VARCHAR(255) NOT NULL, claimed BIGINT, ${at})`,
    'CREATE INDEX entry_fence ON entry (what, fence)',
    ...triggers,
  ];
}
