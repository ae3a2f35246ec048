import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { TransactionUnusableError } from '../../lib/errors/transaction-unusable.error.js';
import { JobOutcome } from '../../lib/job/job-outcome.js';
import { handler, startApp, type AppFixture, type AppOptions } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { deferred, waitUntil } from '../support/wait-until.js';

describe.each(databases())('under attack on $name', (database) => {
  let schema: TestSchema;
  const fixtures: AppFixture[] = [];
  let services = 0;
  beforeAll(async () => {
    schema = await database.create();
  });
  afterEach(async () => {
    await Promise.all(fixtures.splice(0).map((fixture) => fixture.close()));
  });
  afterAll(() => schema.drop());

  async function start(options: AppOptions, service = `service-${++services}`): Promise<AppFixture> {
    const fixture = await startApp(schema, { ...options, queue: { serviceName: service, ...options.queue } });
    fixtures.push(fixture);
    return fixture;
  }

  it('a full pool beside jobs that keep becoming due leaves the event loop free', async () => {
    const release = deferred();
    const { queue } = await start({ providers: [handler('busy', () => release.promise, { concurrency: 1 })] });
    await queue.enqueueMany('busy', [{ payload: 1 }, { payload: 2 }]);
    await queue.enqueueMany(
      'nobody',
      Array.from({ length: 300 }, (_, n) => ({ payload: n, delay: 100 + n * 3 })),
    );
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    await waitUntil(async () =>
      (await queue.counts()).some(
        ({ type, state, count }) => type === 'nobody' && state === 'waiting' && count === 300,
      ),
    );
    delay.disable();
    release.resolve();
    // A loop of microtasks would take it for a tenth of a second, again and again.
    expect(delay.percentile(90) / 1e6).toBeLessThan(50);
  });

  it('a job that runs alone on its last chance keeps its claim while the node drains', async () => {
    const begun = deferred();
    const release = deferred();
    let runs = 0;
    const work = handler(
      'last',
      async () => {
        runs++;
        begun.resolve();
        await release.promise;
        return 'finished';
      },
      { maxCrashes: 1 },
    );
    const worker = await start({ providers: [work], queue: { autoStart: false } }, 'alone');
    const observer = await start({ queue: { roles: ['enqueue'] } }, 'alone');
    const { id } = await observer.queue.enqueue('last');
    await observer.dataSource.query(`UPDATE pq_job SET suspect = 1 WHERE id = ${id}`);
    await worker.start();
    await begun.promise;
    const closing = worker.close();
    await start({ providers: [work] }, 'alone');
    release.resolve();
    await closing;
    expect(await observer.waitFor(id, 'succeeded')).toMatchObject({ result: 'finished', fence: 1 });
    expect(runs).toBe(1);
  });

  it('a wait that no date can hold costs its own job nothing and no other one anything', async () => {
    const { queue, waitFor } = await start({
      providers: [
        handler(
          'far',
          () => {
            throw new Error('no');
          },
          { backoff: (n) => 1e300 * n, maxRetries: 1 },
        ),
        handler('farther', () => JobOutcome.continue({ after: 1e21 }), { maxRetries: 0 }),
        handler('near', () => 'ok'),
      ],
    });
    const far = await queue.enqueue('far');
    const farther = await queue.enqueue('farther');
    const near = await queue.enqueueMany(
      'near',
      Array.from({ length: 50 }, () => ({ payload: null })),
    );
    expect((await waitFor(far.id, 'scheduled')).dueAt.getFullYear()).toBeGreaterThan(2_100);
    expect((await waitFor(farther.id, 'failed')).lastError?.message).toMatch(/after.*1e\+21/);
    for (const { id } of near) await waitFor(id, 'succeeded');
  });

  it('what goes on after a transaction enqueues for itself', async () => {
    const { queue } = await start({});
    const later = deferred<Promise<unknown>>();
    const go = deferred();
    await queue.transaction(async () => {
      later.resolve(go.promise.then(() => queue.enqueue('late')));
      await queue.enqueue('inside');
    });
    const stranger = queue.transaction(async () => {
      go.resolve();
      await Promise.resolve();
      throw new Error('rolled back');
    });
    await expect(stranger).rejects.toThrow('rolled back');
    await later.promise;
    expect((await queue.counts()).map(({ type }) => type)).toEqual(['inside', 'late']);
  });

  it('a transaction in which an error was caught is not committed', async () => {
    const { queue } = await start({});
    const going = queue.transaction(async () => {
      await queue.enqueue('first');
      await queue
        .transaction(async () => {
          await queue.enqueue('second');
          throw new Error('inside');
        })
        .catch(() => undefined);
    });
    await expect(going).rejects.toThrow(TransactionUnusableError);
    expect(await queue.counts()).toEqual([]);
  });

  it('jobs of the future that plain SQL made do not hide due ones of a lower priority', async () => {
    const { queue, waitFor, dataSource } = await start({ providers: [handler('t', () => 'ran')] });
    await dataSource.query(
      `INSERT INTO pq_job (service, type, payload, priority, due) VALUES ('service-${services}', 't', 'null', 5, 4102444800000)`,
    );
    expect((await waitFor((await queue.enqueue('t')).id, 'succeeded')).result).toBe('ran');
  });

  if (database.capabilities.concurrentWriters) {
    it('a rescuer that was stopped in its transaction stops nobody else', async () => {
      const worker = await start({
        providers: [handler('t', () => 'ran')],
        queue: { lease: { duration: 1_000, beat: 100, thread: false } },
      });
      const other = await schema.connect();
      await other.query(
        `INSERT INTO pq_node (service, name, state, registered_at, beat_at, expires_at, types) VALUES ('service-${services}', 'gone', 'alive', 0, 0, 0, '[]')`,
      );
      const stopped = other.createQueryRunner();
      await stopped.startTransaction();
      const [gone] = (await stopped.query("SELECT id FROM pq_node WHERE name = 'gone'")) as { id: string }[];
      await stopped.query(`UPDATE pq_node SET state = 'dead' WHERE id = ${gone?.id}`);
      // Long enough for sweeps, had they to wait for the row.
      const alive = async () => {
        const [row] = await other.query<{ age: string }[]>(
          `SELECT MAX(beat_at) - MAX(registered_at) AS age FROM pq_node WHERE service = 'service-${services}' AND name <> 'gone' AND state = 'alive'`,
        );
        return Number(row?.age) > 3_000;
      };
      await waitUntil(alive);
      expect((await worker.waitFor((await worker.queue.enqueue('t')).id, 'succeeded')).result).toBe('ran');
      await stopped.rollbackTransaction();
      await stopped.release();
    });

    it('a row that the application has locked holds up the end of its own job only', async () => {
      const { queue, waitFor, dataSource } = await start({ providers: [handler('t', (n) => n)] });
      const begun = deferred();
      const release = deferred();
      fixtures.push(
        await startApp(schema, {
          providers: [
            handler('held', async () => {
              begun.resolve();
              await release.promise;
            }),
          ],
          queue: { serviceName: `service-${services}` },
        }),
      );
      const held = await queue.enqueue('held');
      await begun.promise;
      const runner = dataSource.createQueryRunner();
      await runner.startTransaction();
      await runner.query(`UPDATE pq_job SET reference = 'locked' WHERE id = ${held.id}`);
      release.resolve();
      for (let n = 0; n < 5; n++) expect((await waitFor((await queue.enqueue('t', n)).id, 'succeeded')).result).toBe(n);
      await runner.commitTransaction();
      await runner.release();
      expect((await waitFor(held.id, 'succeeded')).reference).toBe('locked');
    });
  }
});
