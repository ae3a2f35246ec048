import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { databases, type TestDatabase, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';
import { waitUntil } from '../support/wait-until.js';
import { WorkerProcess } from '../support/worker-process.js';

const WINDOW = 8_000;

/** Servers that count the statements of this database apart from those of the tests that run beside it: how they are asked. */
const COUNTERS: Partial<Record<TestDatabase['name'], string>> = {
  postgres:
    'SELECT COALESCE(SUM(calls), 0) AS n FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid ' +
    "WHERE d.datname = current_database() AND s.query NOT LIKE '%pg_stat_statements%'",
  mysql:
    'SELECT COALESCE(SUM(count_star), 0) AS n FROM performance_schema.events_statements_summary_by_digest ' +
    "WHERE schema_name = DATABASE() AND digest_text NOT LIKE '%events_statements_summary_by_digest%'",
};
const countable = databases().filter(({ name }) => name in COUNTERS);

describe.each(countable)('an idle process on $name', (database) => {
  let schema: TestSchema;
  let fixture: QueueFixture;
  let worker: WorkerProcess;
  let observer: DataSource;
  beforeAll(async () => {
    schema = await database.create();
    observer = await schema.connect();
    if (database.name === 'postgres') await observer.query('CREATE EXTENSION pg_stat_statements');
    fixture = new QueueFixture(await schema.connect(), {});
    await fixture.repository.open();
    // The defaults, and a heartbeat in a thread.
    worker = await WorkerProcess.start(schema.options, {}, { moreTypes: 50 });
  });
  afterAll(async () => {
    await worker.kill();
    await fixture.close();
    await schema.drop();
  });

  /** Statements of everybody but the observer, from the server's own counters. */
  async function statements(): Promise<number> {
    const [row] = await observer.query<{ n: string }[]>(COUNTERS[database.name] ?? '');
    return Number(row?.n);
  }

  /** Slowing down takes a while: idle is when two seconds have passed with at most two statements. */
  async function comesToRest(): Promise<void> {
    await waitUntil(
      async () => {
        const before = await statements();
        await pause(2_000);
        return (await statements()) - before <= 3;
      },
      { timeout: 25_000 },
    );
  }

  it('with 50 handlers asks at most one statement a second in all', async () => {
    const { id } = await fixture.queue.enqueue('type 7');
    await waitUntil(async () => (await fixture.queue.get(id))?.state === 'succeeded');
    await comesToRest();
    const before = await statements();
    await pause(WINDOW);
    const asked = (await statements()) - before;
    console.info(`${database.name}: ${asked} statements in ${WINDOW} ms`);
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThanOrEqual(WINDOW / 1_000);
  }, 60_000);

  if (database.name === 'postgres')
    it('that listens to wake-ups asks nothing more for that', async () => {
      await worker.kill();
      worker = await WorkerProcess.start(schema.options, { wakeUps: 'postgres' }, { moreTypes: 50 });
      const listen = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`;
      await waitUntil(async () => (await observer.query<unknown[]>(listen)).length === 1);
      await comesToRest();
      const before = await statements();
      await pause(WINDOW);
      expect((await statements()) - before).toBeLessThanOrEqual(WINDOW / 1_000);
    }, 60_000);

  it('that only enqueues asks nothing at all', async () => {
    await worker.kill();
    worker = await WorkerProcess.start(schema.options, { roles: ['enqueue'] }, { moreTypes: 50 });
    worker.enqueue('type 7', null);
    await waitUntil(() => worker.enqueued.length === 1);
    const before = await statements();
    await pause(WINDOW);
    expect((await statements()) - before).toBe(0);
  }, 60_000);
});
