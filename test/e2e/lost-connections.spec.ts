import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { handler, startApp, type AppFixture } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { endSessionsBeside } from '../support/sessions.js';
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

  async function cut(): Promise<void> {
    if ((await endSessionsBeside(killer)) === 0) throw new Error('there is nothing to cut');
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
