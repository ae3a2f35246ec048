import type { TestDatabase } from './databases.js';

interface Ledger {
  /** Of the key of an entry. */
  readonly key: string;
  /** By the database's clock, in milliseconds. */
  readonly now: string;
  /** From the payload: whatever the library takes for the job's key is not believed. */
  readonly tenant: string;
  /** What makes an entry of each change of a lease, in the same transaction. */
  readonly triggers: (tenant: string) => readonly string[];
}

const TAKEN = "NEW.state = 'running' AND (OLD.state <> 'running' OR NEW.fence <> OLD.fence)";
const FREED = "OLD.state = 'running' AND (NEW.state <> 'running' OR NEW.fence <> OLD.fence)";
const entry = (what: string, row: string, tenant: string, state: string) =>
  `INSERT INTO entry (what, job_id, fence, tenant, state) VALUES ('${what}', NEW.id, ${row}.fence, ${tenant}, ${state})`;
const added = (tenant: string) => entry('added', 'NEW', tenant, 'NEW.state');
const taken = (tenant: string) => entry('taken', 'NEW', tenant, 'NEW.state');
const freed = (tenant: string) => entry('freed', 'OLD', tenant, 'NEW.state');

const ofChange = (tenant: string) =>
  `IF ${FREED} THEN ${freed(tenant)}; END IF; IF ${TAKEN} THEN ${taken(tenant)}; END IF`;
const inPostgres = (name: string, sql: string) =>
  `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN ${sql}; RETURN NULL; END$$`;

const MYSQL: Ledger = {
  key: 'BIGINT AUTO_INCREMENT PRIMARY KEY',
  now: 'CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)',
  tenant: "JSON_UNQUOTE(JSON_EXTRACT(NEW.payload, '$.tenant'))",
  triggers: (tenant) => [
    `CREATE TRIGGER keep_added AFTER INSERT ON pq_job FOR EACH ROW ${added(tenant)}`,
    `CREATE TRIGGER keep_leases AFTER UPDATE ON pq_job FOR EACH ROW BEGIN ${ofChange(tenant)}; END`,
  ],
};

const LEDGERS: Readonly<Record<TestDatabase['name'], Ledger>> = {
  mariadb: MYSQL,
  mysql: MYSQL,
  postgres: {
    key: 'bigserial PRIMARY KEY',
    now: '(extract(epoch FROM clock_timestamp()) * 1000)::bigint',
    tenant: "NEW.payload::json->>'tenant'",
    triggers: (tenant) => [
      inPostgres('keep_added', added(tenant)),
      'CREATE TRIGGER keep_added AFTER INSERT ON pq_job FOR EACH ROW EXECUTE FUNCTION keep_added()',
      inPostgres('keep_leases', ofChange(tenant)),
      'CREATE TRIGGER keep_leases AFTER UPDATE ON pq_job FOR EACH ROW EXECUTE FUNCTION keep_leases()',
    ],
  },
  sqlite: {
    key: 'INTEGER PRIMARY KEY AUTOINCREMENT',
    now: "CAST(strftime('%s', 'now') * 1000 + substr(strftime('%f', 'now'), 4) AS INTEGER)",
    tenant: "json_extract(NEW.payload, '$.tenant')",
    triggers: (tenant) => [
      `CREATE TRIGGER keep_added AFTER INSERT ON pq_job BEGIN ${added(tenant)}; END`,
      `CREATE TRIGGER keep_freed AFTER UPDATE ON pq_job WHEN ${FREED} BEGIN ${freed(tenant)}; END`,
      `CREATE TRIGGER keep_taken AFTER UPDATE ON pq_job WHEN ${TAKEN} BEGIN ${taken(tenant)}; END`,
    ],
  },
};

/**
 * The table `entry`, in which triggers write each lease of each job, handlers their starts and ends, and the test whom it has killed. Who
 * takes a slot has seen the end of the lease before committed, so that the keys of entries are in an order that convicts.
 */
export function leaseLedger(name: TestDatabase['name']): string[] {
  const { key, now, tenant, triggers } = LEDGERS[name];
  return [
    `CREATE TABLE entry (seq ${key}, what VARCHAR(6) NOT NULL, job_id BIGINT NOT NULL DEFAULT 0, fence BIGINT NOT NULL DEFAULT 0, ` +
      `tenant VARCHAR(16), state VARCHAR(9), pid BIGINT NOT NULL DEFAULT 0, at BIGINT NOT NULL DEFAULT (${now}))`,
    ...triggers(tenant),
  ];
}

/** The same, for a SELECT from pq_job. */
export function tenantOf(name: TestDatabase['name']): string {
  return LEDGERS[name].tenant.replace('NEW.', 'j.');
}
