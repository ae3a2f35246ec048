import type { TestDatabase, TestSchema } from './databases.js';
import { LockHolderProcess } from './lock-holder-process.js';
import { QueueFixture } from './queue-fixture.js';
import { waitUntil } from './wait-until.js';

interface Entry {
  fence: number;
  pid: number;
}

const KEEP = 'INSERT INTO entry (fence, pid) VALUES (NEW.fence, NEW.pid)';
const MYSQL_FAMILY = [
  'BIGINT AUTO_INCREMENT PRIMARY KEY',
  `CREATE TRIGGER keep AFTER UPDATE ON ledger FOR EACH ROW ${KEEP}`,
] as const;
/** The type of the key of an entry, and what makes an entry of each write, in the same statement. */
const KEPT = {
  sqlite: ['INTEGER PRIMARY KEY AUTOINCREMENT', `CREATE TRIGGER keep AFTER UPDATE ON ledger BEGIN ${KEEP}; END`],
  mariadb: MYSQL_FAMILY,
  mysql: MYSQL_FAMILY,
  postgres: [
    'BIGSERIAL PRIMARY KEY',
    `CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN ${KEEP}; RETURN NULL; END'`,
    'CREATE TRIGGER keep AFTER UPDATE ON ledger FOR EACH ROW EXECUTE FUNCTION keep()',
  ],
} as const;

/** A ledger that only the holder of one lock may write, and the processes that want to. */
export class LedgerFixture {
  readonly processes: LockHolderProcess[] = [];

  private constructor(
    private readonly schema: TestSchema,
    private readonly fixture: QueueFixture,
    private readonly times: { atMost: number; work: number },
  ) {}

  static async create(database: TestDatabase, times: { atMost: number; work: number }): Promise<LedgerFixture> {
    const schema = await database.create();
    const dataSource = await schema.connect();
    const [seq, ...trigger] = KEPT[database.name];
    await dataSource.query('CREATE TABLE ledger (id INTEGER PRIMARY KEY, fence BIGINT NOT NULL, pid BIGINT NOT NULL)');
    await dataSource.query('INSERT INTO ledger (id, fence, pid) VALUES (1, 0, 0)');
    await dataSource.query(`CREATE TABLE entry (seq ${seq}, fence BIGINT NOT NULL, pid BIGINT NOT NULL)`);
    for (const sql of trigger) await dataSource.query(sql);
    const fixture = new QueueFixture(dataSource, {});
    await fixture.repository.open();
    return new LedgerFixture(schema, fixture, times);
  }

  launch(): LockHolderProcess {
    const holder = new LockHolderProcess({ database: this.schema.options, ...this.times });
    this.processes.push(holder);
    return holder;
  }

  /** In the order in which they were written: each has locked the ledger's row. */
  async entries(): Promise<Entry[]> {
    const rows = await this.fixture.sql<Record<keyof Entry, unknown>>('SELECT fence, pid FROM entry ORDER BY seq');
    return rows.map(({ fence, pid }) => ({ fence: Number(fence), pid: Number(pid) }));
  }

  /** Waits until `holder` has written with a fence that is newer than `fence`; answers its own. */
  async hasWritten(holder: LockHolderProcess, newerThan = 0): Promise<number> {
    return waitUntil(
      async () => (await this.entries()).findLast(({ pid, fence }) => pid === holder.pid && fence > newerThan)?.fence,
      { timeout: 20_000, describe: () => `process ${holder.pid} to write; ${JSON.stringify(this.failures)}` },
    ) as Promise<number>;
  }

  get failures(): string[] {
    return this.processes.flatMap((holder) => holder.told('failed').map(({ failed }) => failed));
  }

  async close(): Promise<void> {
    await Promise.all(this.processes.map((holder) => holder.kill()));
    await this.fixture.close();
    await this.schema.drop();
  }
}
