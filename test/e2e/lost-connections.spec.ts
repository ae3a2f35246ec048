import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { handler, startApp, type AppFixture } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { waitUntil } from '../support/wait-until.js';

const JOBS = 1_500;
const CUTS = 12;

const cuttable = databases().filter(({ name }) => name !== 'sqlite');

describe.each(cuttable)('lost connections on $name', (database) => {
  let schema: TestSchema;
  let fixture: AppFixture;
  let killer: DataSource;
  beforeAll(async () => {
    schema = await database.create();
    killer = await schema.connect();
  });
  afterEach(() => fixture.close());
  afterAll(() => schema.drop());

  /** Ends every other connection to this database, whatever it is doing. */
  async function cut(): Promise<void> {
    if (database.name === 'postgres') {
      await killer.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      );
      return;
    }
    // MySQL's information_schema fails while any statement of any other test contains an emoji.
    const list =
      database.name === 'mysql'
        ? 'SELECT processlist_id AS id, processlist_db AS db FROM performance_schema.threads'
        : 'SELECT id, db FROM information_schema.processlist';
    const connections = await killer.query<{ id: string }[]>(
      `SELECT id FROM (${list}) p WHERE db = DATABASE() AND id <> CONNECTION_ID()`,
    );
    if (connections.length === 0) throw new Error('there is nothing to cut');
    // A connection may have ended by itself since.
    for (const { id } of connections) await killer.query(`KILL ${id}`).catch(() => undefined);
  }

  it('lose no job, run none twice and leave none behind as running', async () => {
    const runs = new Map<string, number>();
    const count = async (_: unknown, { id }: { id: string }) => {
      await pause(Math.random() * 5);
      runs.set(id, (runs.get(id) ?? 0) + 1);
    };
    fixture = await startApp(schema, {
      providers: [handler('count', count, { concurrency: 10 })],
      queue: { autoStart: false },
    });
    await fixture.queue.enqueueMany(
      'count',
      Array.from({ length: JOBS }, () => ({ payload: null })),
    );
    await fixture.start();
    for (let n = 0; n < CUTS; n++) {
      const before = runs.size;
      await waitUntil(() => runs.size >= Math.min(before + 20, JOBS), {
        describe: () => `job ${before + 20} after cut ${n}`,
      });
      await cut();
    }
    await waitUntil(
      async () =>
        (await fixture.queue.counts().catch(() => [])).some(
          ({ state, count: done }) => state === 'succeeded' && done === JOBS,
        ),
      { timeout: 20_000, describe: () => `${runs.size} of ${JOBS} jobs have run` },
    );
    expect(runs.size).toBe(JOBS);
    expect([...runs.values()].filter((times) => times > 1)).toEqual([]);
  }, 60_000);
});
