import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { LeaseLostError } from '../../lib/errors/lease-lost.error.js';
import { MissingRoleError } from '../../lib/errors/missing-role.error.js';
import { NotRunningError } from '../../lib/errors/not-running.error.js';
import { QueueEvents } from '../../lib/events/queue-events.js';
import { LockService } from '../../lib/lock/lock-service.js';
import type { Lock } from '../../lib/lock/lock.js';
import { NodeLease } from '../../lib/node/node-lease.js';
import { JobRepository } from '../../lib/repository/job-repository.js';
import { BUSY_RETRY } from '../../lib/typeorm/busy-retry.js';
import { retryRolledBack } from '../../lib/typeorm/retry-rolled-back.js';
import { handler, QUICK, startApp, type AppFixture, type AppOptions } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { deferred, waitUntil } from '../support/wait-until.js';

describe.each(databases())('the life of a node on $name', (database) => {
  let schema: TestSchema;
  const fixtures: AppFixture[] = [];
  let service = '';
  let services = 0;
  beforeAll(async () => {
    schema = await database.create();
  });
  afterEach(async () => {
    await Promise.all(fixtures.splice(0).map((fixture) => fixture.close()));
    service = '';
  });
  afterAll(() => schema.drop());

  /** All applications of one test belong to one service. */
  async function start(options: AppOptions = {}): Promise<AppFixture> {
    service ||= `service-${++services}`;
    const fixture = await startApp(schema, { ...options, queue: { serviceName: service, ...options.queue } });
    fixtures.push(fixture);
    return fixture;
  }

  const nodeStates = async (fixture: AppFixture) => {
    const rows = await fixture.dataSource.query<{ state: string }[]>(
      `SELECT state FROM pq_node WHERE service = '${service}' ORDER BY id`,
    );
    return rows.map(({ state }) => state);
  };

  it('lets running handlers end at shutdown, and their results are stored', async () => {
    const release = deferred();
    const begun = deferred();
    const worker = await start({
      providers: [
        handler('slow', async () => {
          begun.resolve();
          await release.promise;
          return 'finished';
        }),
      ],
    });
    const observer = await start({ queue: { roles: ['enqueue'] } });
    const { id } = await observer.queue.enqueue('slow');
    await begun.promise;
    const closing = worker.close();
    release.resolve();
    await closing;
    expect(await observer.queue.get(id)).toMatchObject({ state: 'succeeded', result: 'finished' });
    expect(await nodeStates(observer)).toEqual(['stopped']);
  });

  it('aborts handlers that take too long at shutdown and releases their jobs at once, using up nothing', async () => {
    const reasons: unknown[] = [];
    const never = deferred();
    const begun = deferred();
    const stuck = handler('stuck', async (_, job) => {
      job.signal.addEventListener('abort', () => reasons.push(job.signal.reason));
      begun.resolve();
      await never.promise;
      return 'too late';
    });
    const worker = await start({ providers: [stuck], queue: { shutdownTimeout: 50 } });
    const observer = await start({ queue: { roles: ['enqueue'] } });
    const { id } = await observer.queue.enqueue('stuck');
    await begun.promise;
    await worker.close();
    expect(reasons).toEqual([expect.any(LeaseLostError)]);
    expect(await observer.queue.get(id)).toMatchObject({ state: 'waiting', retries: 0 });
    expect(await observer.queue.history(id)).toMatchObject([{ attempt: 1, outcome: 'released', reason: 'released' }]);
    never.resolve();
    await start({ providers: [handler('stuck', () => 'elsewhere')] });
    expect(await observer.waitFor(id, 'succeeded')).toMatchObject({ result: 'elsewhere', retries: 0 });
  });

  it('waits at shutdown for work under a lock, and then tells it to stop without a release', async () => {
    const worker = await start({ queue: { shutdownTimeout: 300 } });
    const observer = await start({ queue: { roles: ['enqueue'] } });
    const elsewhere = observer.app.get(LockService);
    const end = deferred();
    const never = deferred();
    const locks = worker.app.get(LockService);
    const begun = deferred();
    const quick = locks.using('quick', {}, () => {
      begun.resolve();
      return end.promise;
    });
    await begun.promise;
    const stuck = (await locks.tryAcquire('stuck', { atMost: '1m' })) as Lock;
    const working = never.promise.then(() => stuck.release());
    const closing = worker.close();
    expect(await elsewhere.tryAcquire('quick')).toBeUndefined();
    end.resolve();
    await quick;
    await (await elsewhere.acquire('quick')).release();
    await closing;
    expect(stuck.signal.reason).toMatchObject({ name: 'LockLostError', why: 'shutdown' });
    never.resolve();
    await working;
    expect(await elsewhere.tryAcquire('stuck')).toBeUndefined();
  });

  it('that is found dead lets go of everything, drops late results, and goes on as a new node', async () => {
    const release = deferred();
    const begun = deferred();
    const reasons: unknown[] = [];
    let calls = 0;
    const work = handler('work', async (_, job) => {
      if (++calls > 1) return 'second';
      job.signal.addEventListener('abort', () => reasons.push(job.signal.reason));
      begun.resolve();
      await release.promise;
      return 'late';
    });
    const worker = await start({ providers: [work], queue: { lease: { duration: 1_000, beat: 50, thread: false } } });
    const lost: string[] = [];
    worker.app.get(QueueEvents, { strict: false }).events$.subscribe(({ name }) => lost.push(name));
    const lease = worker.app.get(NodeLease, { strict: false });
    const { id } = await worker.queue.enqueue('work');
    await begun.promise;
    const first = lease.id;
    // What a rescuer does to a node whose heartbeat is missing.
    await worker.dataSource.query(`UPDATE pq_node SET state = 'dead' WHERE id = ${first}`);
    await waitUntil(() => lease.isAlive && lease.id !== first);
    expect(reasons).toEqual([expect.any(LeaseLostError)]);
    expect(await worker.waitFor(id, 'succeeded')).toMatchObject({ result: 'second' });
    release.resolve();
    await waitUntil(() => lost.includes('job.lost'));
    expect(await worker.queue.get(id)).toMatchObject({ state: 'succeeded', result: 'second' });
    expect(await nodeStates(worker)).toEqual(['dead', 'alive']);
  });

  it('that is found dead again and again forgets no job that waited, and leaves nothing of its former lives behind', async () => {
    let gate = deferred();
    const work = handler('work', () => gate.promise, { concurrency: 1 });
    const lease = { duration: 1_000, beat: 50, thread: false };
    const worker = await start({ providers: [work], queue: { lease } });
    const own = worker.app.get(NodeLease, { strict: false });
    const resources = () => process.getActiveResourcesInfo().length;
    const done = async () => (await worker.queue.counts()).find(({ state }) => state === 'succeeded')?.count;
    const die = async (round: number) => {
      const former = own.id;
      await worker.queue.enqueueMany(
        'work',
        Array.from({ length: 20 }, (_, n) => ({ payload: n })),
      );
      await retryRolledBack(BUSY_RETRY, () =>
        worker.dataSource.query(`UPDATE pq_node SET state = 'dead' WHERE id = ${former}`),
      );
      await waitUntil(() => own.isAlive && own.id !== former);
      gate.resolve();
      await waitUntil(async () => (await done()) === round * 20, { describe: `the jobs of life ${round}` });
      gate = deferred();
    };
    await die(1);
    const before = resources();
    for (let round = 2; round <= 6; round++) await die(round);
    gate.resolve();
    await waitUntil(() => resources() <= before + 1, { describe: () => `${before} resources, now ${resources()}` });
  });

  it('whose database refuses everything asks it a few times a second, and goes on when it answers again', async () => {
    const worker = await start({ providers: [handler('t', () => 'ran')] });
    const repository = worker.app.get(JobRepository);
    const errors: string[] = [];
    worker.queue.events$.subscribe((event) => event.name === 'database.error' && errors.push(event.error));
    const refused = [jest.spyOn(repository, 'survey'), jest.spyOn(repository, 'beat')];
    for (const call of refused) call.mockRejectedValue(new Error('the server has gone away'));
    const began = performance.now();
    await waitUntil(() => performance.now() - began > 1_500);
    const asked = refused.reduce((sum, { mock }) => sum + mock.calls.length, 0);
    for (const call of refused) call.mockRestore();
    expect(asked).toBeGreaterThan(1);
    expect(asked).toBeLessThan(60);
    expect(errors.length).toBeLessThanOrEqual(asked);
    expect((await worker.waitFor((await worker.queue.enqueue('t')).id, 'succeeded')).result).toBe('ran');
  });

  it('rescues nobody before it has beaten for one full lease', async () => {
    const dead = await start({ queue: { autoStart: false } });
    await dead.dataSource.query(
      `INSERT INTO pq_node (service, name, state, registered_at, beat_at, expires_at, types) VALUES ('${service}', 'gone', 'alive', 0, 0, 0, '[]')`,
    );
    const began = performance.now();
    const worker = await start({ queue: { lease: { duration: 700, beat: 100, thread: false } } });
    const lease = worker.app.get(NodeLease, { strict: false });
    expect(lease.maySweep).toBe(false);
    await waitUntil(async () => (await nodeStates(worker))[0] === 'dead');
    expect(performance.now() - began).toBeGreaterThanOrEqual(700);
    expect((await nodeStates(worker))[1]).toBe('alive');
  });

  it('starts when the application says so, and only once', async () => {
    const worker = await start({ providers: [handler('t', () => 'ran')], queue: { autoStart: false } });
    const { id } = await worker.queue.enqueue('t');
    expect(await nodeStates(worker)).toEqual([]);
    await Promise.all([worker.start(), worker.start()]);
    await worker.waitFor(id, 'succeeded');
    expect(await nodeStates(worker)).toEqual(['alive']);
  });

  it('that only enqueues has no node and runs nothing; one without the role refuses to enqueue', async () => {
    const producer = await start({ providers: [handler('t', () => 'ran')], queue: { roles: ['enqueue'] } });
    const { id } = await producer.queue.enqueue('t');
    expect(await nodeStates(producer)).toEqual([]);
    const worker = await start({ providers: [handler('t', () => 'worked')], queue: { roles: ['work', 'maintain'] } });
    expect((await producer.waitFor(id, 'succeeded')).result).toBe('worked');
    await expect(worker.queue.enqueue('t')).rejects.toThrow(MissingRoleError);
    await expect(worker.queue.enqueue('t')).rejects.toThrow(/'enqueue'.*'work', 'maintain'.*roles/);
  });

  it('leaves no storage behind that every later call of the process would have to carry', async () => {
    const disabled = jest.spyOn(AsyncLocalStorage.prototype, 'disable');
    try {
      const fixture = await start();
      await fixture.queue.transaction(() => fixture.queue.enqueue('t'));
      expect(disabled).not.toHaveBeenCalled();
      await fixtures.pop()?.close();
      expect(disabled).toHaveBeenCalled();
    } finally {
      disabled.mockRestore();
    }
  });

  it('refuses to enqueue after it has been closed', async () => {
    const fixture = await start({ queue: QUICK });
    const { queue } = fixture;
    await fixture.close();
    await expect(queue.enqueue('t')).rejects.toThrow(NotRunningError);
  });
});
