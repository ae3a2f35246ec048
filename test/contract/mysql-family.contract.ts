import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource, type DataSourceOptions, type EntityManager } from 'typeorm';
import type { ClaimedJob } from '../../lib/job/job.js';
import { detectDialect } from '../../lib/typeorm/detect-dialect.js';
import { queueTables, type QueueTables } from '../../lib/typeorm/queue-tables.js';
import { runOn } from '../../lib/typeorm/query-runner.executor.js';
import { drive, type Result, type Script, type Statement } from '../../lib/typeorm/statement.js';
import { claimJobs } from '../../lib/typeorm/statements/claim-jobs.js';
import { hasKey } from '../../lib/typeorm/statements/has-key.js';
import { inspectOldestDue } from '../../lib/typeorm/statements/inspect-due.js';
import { inspectJob } from '../../lib/typeorm/statements/inspect-job.js';
import { pruneJobs } from '../../lib/typeorm/statements/prune.js';
import { promoteJobs } from '../../lib/typeorm/statements/promote-jobs.js';
import { rescueJobs } from '../../lib/typeorm/statements/rescue-jobs.js';
import { surveyQueue } from '../../lib/typeorm/statements/survey-queue.js';
import type { TestSchema } from '../support/databases.js';
import { QueueFixture, success } from '../support/queue-fixture.js';
import type { ContractContext } from './contract-context.js';

const TYPES = ['a', 'b', 'c'];
const ROWS = 2_000;
const NOTES = { progress: '1', lines: [{ line: 1, at: 0, message: 'here' }] };

/** What only MariaDB and MySQL can get wrong. */
export function mysqlFamilyContract(context: ContractContext): void {
  if (!['mariadb', 'mysql'].includes(context.database.name)) return;

  describe('the dialect', () => {
    it.each(['mysql', 'mariadb'])("is the server's when TypeORM calls it %s", async (type) => {
      const options = { ...context.schema.options, type } as DataSourceOptions;
      const dataSource = await new DataSource(options).initialize();
      expect((await detectDialect(options, dataSource)).name).toBe(context.database.name);
      const fixture = new QueueFixture(dataSource, { serviceName: `called ${type}` });
      const { id } = await fixture.queue.transaction((manager) => fixture.queue.enqueue('t', type, { manager }));
      expect(await fixture.claimOne(await fixture.registerNode(), 't')).toMatchObject({ id, payload: `"${type}"` });
      await fixture.close();
      await dataSource.destroy();
    });
  });

  describe('the ids of many jobs', () => {
    it('are theirs in a cluster that counts in steps', async () => {
      const { queue } = await context.open();
      const enqueued = await queue.transaction(async (manager) => {
        await manager.query('SET SESSION auto_increment_increment = 7, SESSION auto_increment_offset = 3');
        const answers = await queue.enqueueMany('steps', numbered(1_100), { manager });
        await manager.query('SET SESSION auto_increment_increment = 1, SESSION auto_increment_offset = 1');
        return answers;
      });
      expect(Number(enqueued[1]?.id) - Number(enqueued[0]?.id)).toBe(7);
      await expectNumbers(queue, enqueued);
    });

    it('are theirs beside an INSERT … SELECT and other writers', async () => {
      const { queue, sql } = await context.open({ connections: { max: 5 } });
      const enough = new AbortController();
      const copying = (async () => {
        while (!enough.signal.aborted) {
          await sql(
            "INSERT INTO pq_job (service, type, payload) SELECT 'elsewhere', type, payload FROM pq_job ORDER BY id LIMIT 400",
          );
        }
      })();
      const answers = await Promise.all(Array.from({ length: 8 }, () => queue.enqueueMany('crowd', numbered(600))));
      enough.abort();
      await copying;
      expect(new Set(answers.flat().map(({ id }) => id)).size).toBe(8 * 600);
      for (const enqueued of answers) await expectNumbers(queue, enqueued);
    });
  });

  describe('a job that is known by its key', () => {
    it('is not waited for because somebody has locked those of other types and services with the same key', async () => {
      const fixture = await context.open();
      const other = await context.open();
      const key = 'same';
      await fixture.queue.enqueue('b', null, { key });
      const others = [await other.queue.enqueue('b', null, { key })];
      for (const type of ['a', 'c']) others.push(await fixture.queue.enqueue(type, null, { key }));
      await fixture.dataSource.transaction(async (manager) => {
        for (const { id } of others) await manager.query('SELECT id FROM pq_job WHERE id = ? FOR UPDATE', [id]);
        await expect(fixture.queue.restart({ type: 'b', key }, { fromStep: 's' })).rejects.toThrow(/'waiting'/);
      });
    });

    it('is looked up in the unique index, by all of its columns', async () => {
      const { queue, sql, service, dataSource } = await context.open();
      for (let n = 0; n < 50; n++) await queue.enqueue('t', null, { key: `key-${n}` });
      const dialect = await detectDialect(dataSource.options, dataSource);
      const given = hasKey(dialect, { service: '?', type: '?', key: '?' });
      const [found] = await sql(`EXPLAIN FORMAT=TRADITIONAL SELECT id FROM pq_job WHERE ${given} FOR UPDATE`, [
        service,
        't',
        'key-7',
      ]);
      expect(found).toMatchObject({ type: 'const', key: 'pq_job_key' });
      const met = hasKey(dialect, { service: 'j.service', type: 'j.type', key: 'j.past_key' }, 'k.');
      const [, taken] = await sql(
        `EXPLAIN FORMAT=TRADITIONAL SELECT id, EXISTS (SELECT 1 FROM pq_job k WHERE ${met}) AS taken FROM pq_job j WHERE id > 0`,
      );
      expect(taken).toMatchObject({ key: 'pq_job_key', key_len: found?.['key_len'] });
    });
  });

  describe('the end of a job', () => {
    // In a table this small, an optimizer would rather read all jobs than look for one.
    let schema: TestSchema;
    let fixture: QueueFixture;
    beforeAll(async () => {
      schema = await context.database.create();
      fixture = new QueueFixture(await schema.connect(), {});
      await fixture.repository.open();
    });
    afterAll(async () => {
      await fixture.close();
      await schema.drop();
    });

    it.each(context.database.capabilities.isolationLevels)(
      'in a transaction of the application, which is %s, locks no other job',
      async (level) => {
        const { queue, repository, dataSource } = fixture;
        await queue.enqueueMany('ends', numbered(2));
        const [first, second] = await fixture.claim(await fixture.registerNode(), 'ends');
        const end = (manager: EntityManager, job: ClaimedJob | undefined) =>
          repository.settleIn(manager, success(job as ClaimedJob, { notes: NOTES }), 'test');
        const both = dataSource.transaction(level, async (manager) => {
          expect(await end(manager, first)).toBe(true);
          return dataSource.transaction(level, async (other) => {
            await other.query('SET SESSION innodb_lock_wait_timeout = 1');
            return end(other, second);
          });
        });
        expect(await both).toBe(true);
      },
    );
  });

  describe(`beside ${TYPES.length * ROWS * 3} jobs, only what is looked for is read:`, () => {
    const survey = { types: TYPES, sweep: true, held: [], node: undefined };
    const claim = { type: 'b', priority: 0, limit: 10, deadline: undefined, maxCrashes: 3 };
    let fixture: QueueFixture;
    let node: string;
    let first = 0;
    beforeAll(async () => {
      fixture = new QueueFixture(context.dataSource, { serviceName: 'plans' });
      first = Number((await fixture.queue.enqueue('b')).id);
      await fill(fixture);
      const gone = await fixture.registerNode();
      expect(await fixture.claim(gone, 'a', { limit: 10 })).toHaveLength(10);
      await fixture.repository.retireNode(gone);
      node = await fixture.registerNode();
    });
    afterAll(() => fixture.close());

    it.each<[string, (tables: QueueTables) => Script<unknown>]>([
      ['a survey', (tables) => one(surveyQueue(tables, survey))],
      ['a survey that looks for misfiled jobs', (tables) => one(surveyQueue(tables, { ...survey, misfiled: true }))],
      ['a claim of 10', (tables) => claimJobs(tables, { ...claim, node }, { due: 0, id: 0 })],
      ['a promotion of 10', (tables) => promoteJobs(tables, 10)],
      ['a rescue of 10', (tables) => rescueJobs(tables, 10, 0)],
      ['a pruning of 10', (tables) => pruneJobs(tables, 10)],
      ['the oldest due job of each type', inspectOldestDue],
      ['why the first job waits', (tables) => inspectJob(tables, first)],
    ])('%s', async (_, script) => {
      const dialect = await detectDialect(context.dataSource.options, context.dataSource);
      const runner = context.dataSource.createQueryRunner();
      await runner.startTransaction('READ COMMITTED');
      await runner.query('FLUSH STATUS');
      const result = await drive(script(queueTables(dialect, 'pq_', 'plans')), (step) => runOn(runner, dialect, step));
      const rows = (await runner.query("SHOW SESSION STATUS LIKE 'Handler_read%'")) as { Value: string }[];
      await runner.rollbackTransaction();
      await runner.release();
      expect(result).not.toEqual([]);
      expect(rows.reduce((sum, { Value }) => sum + Number(Value), 0)).toBeLessThan(ROWS / 4);
    });
  });
}

/** Waiting, promotable and expired jobs of three types. */
async function fill({ queue, sql, service }: QueueFixture): Promise<void> {
  for (const type of TYPES) await queue.enqueueMany(type, numbered(ROWS));
  const copy = (columns: string, values: string) =>
    sql(
      `INSERT INTO pq_job (service, type, payload, ${columns}) SELECT service, type, payload, ${values} FROM pq_job ` +
        "WHERE service = ? AND state = 'waiting'",
      [service],
    );
  await copy('state, due', "'scheduled', 1000 + id");
  await copy('state, finished_at, expires_at', "'succeeded', 1000, 1000 + id");
}

function numbered(count: number): { payload: number }[] {
  return Array.from({ length: count }, (_, payload) => ({ payload }));
}

async function expectNumbers(queue: QueueFixture['queue'], enqueued: readonly { id: string }[]): Promise<void> {
  const last = enqueued.length - 1;
  for (const n of [0, 1, 2, 250, 499, 500, 501, last - 1, last]) {
    expect((await queue.get(enqueued[n]?.id ?? ''))?.payload).toBe(n);
  }
}

function* one(single: Statement): Script<Result> {
  return yield single;
}
