import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { Database } from '../../lib/typeorm/database.js';
import { openDatabase } from '../../lib/typeorm/open-database.js';
import { statement, type Script } from '../../lib/typeorm/statement.js';
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

  /** While what has been claimed is being run, there may be no connection for a moment. */
  async function cut(): Promise<void> {
    await waitUntil(async () => (await endSessionsBeside(killer)) > 0, { describe: 'a connection to cut' });
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

  /** Longer than the limit of our sessions, after which the server takes the connection away. */
  const STILL = 6_000;

  /** Writes, stands still the first time, and writes again; answers how many times it has been run. */
  function standingStill(): () => Script<number> {
    let runs = 0;
    return function* script() {
      yield statement("UPDATE pq_job SET priority = 1 WHERE service = 'still'");
      if (++runs === 1) for (const until = performance.now() + STILL; performance.now() < until;);
      yield statement("UPDATE pq_job SET priority = 2 WHERE service = 'still'");
      return runs;
    };
  }

  async function openOwn(application: DataSource): Promise<Database> {
    fixture = await startApp(schema, { queue: { autoStart: false } });
    return openDatabase(application, { connections: 2, serviceName: 'still' }, () => undefined);
  }

  // mysql2 takes the server's goodbye for all it will ever hear of a connection: one that only seems to go on is its worst case.
  const networkHides = database.name === 'mysql';

  it('of a process that stood still in a transaction are given up, and end nobody: it is run again', async () => {
    const relay = networkHides ? await startRelay(schema.options) : undefined;
    const application = await new DataSource(relay?.options ?? schema.options).initialize();
    const own = await openOwn(application);
    expect(await own.transaction(standingStill())).toBe(2);
    await own.close();
    await application.destroy();
    relay?.close();
  }, 60_000);
});

/** A network that carries what both ends say, and not that the server has closed its end. */
async function startRelay(options: DataSourceOptions): Promise<{ options: DataSourceOptions; close: () => void }> {
  const url = new URL((options as { url: string }).url);
  const target = { host: url.hostname, port: Number(url.port) };
  const sockets = new Set<Socket>();
  const relay = createServer((client) => {
    const server = connect({ ...target, allowHalfOpen: true });
    for (const socket of [client, server]) sockets.add(socket.on('error', () => undefined));
    client.on('data', (data) => server.write(data)).on('close', () => server.destroy());
    server.on('data', (data) => client.write(data));
  });
  await once(relay.listen(0, '127.0.0.1'), 'listening');
  url.port = String((relay.address() as AddressInfo).port);
  return {
    options: { ...options, url: url.toString() } as DataSourceOptions,
    close() {
      relay.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
