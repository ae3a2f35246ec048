import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { databases } from '../support/databases.js';
import { ServiceFixture } from '../support/service-fixture.js';
import { waitUntil } from '../support/wait-until.js';
import type { WorkerProcess } from '../support/worker-process.js';

/** Short, so that tests are; a minute of computing under the default lease is in test/proof. */
const LEASE = { duration: 2_000, beat: 400 };
const HUNG_AFTER = 2_500;
const COMPUTING = 4_000;
/** Longer than `HUNG_AFTER`, a lease and the time to find that out. */
const HANGING = 7_500;

/** A node that computes, one that hangs, and one that watches, at the same time: each test looks at what has come of one. */
describe.each(databases())('the heartbeat on $name', (database) => {
  let service: ServiceFixture;
  let watcher: WorkerProcess;
  let computing: { worker: WorkerProcess; id: string };
  let hanging: { worker: WorkerProcess; id: string };

  beforeAll(async () => {
    service = await ServiceFixture.create(database, { lease: LEASE, connections: { max: 2 }, poll: { max: '200ms' } });
    const hungAfter = { ...LEASE, hungAfter: HUNG_AFTER };
    const [computes, hangs, watches] = await Promise.all([
      service.startWorker({ types: { include: ['compute'] } }),
      service.startWorker({ types: { include: ['hang'] }, lease: hungAfter }),
      service.startWorker({ types: { exclude: ['compute', 'hang'] } }),
    ]);
    watcher = watches;
    await service.mayRescue(watcher);
    computing = { worker: computes, id: await service.begin(computes, 'compute', COMPUTING) };
    hanging = { worker: hangs, id: await service.begin(hangs, 'hang', HANGING) };
    await service.shorten(hanging.id);
  }, 30_000);
  afterAll(() => service.close());

  it(`survives ${COMPUTING / 1_000} s of computing in a handler, which is named`, async () => {
    const { worker, id } = computing;
    await service.succeeded(id, COMPUTING + 20_000);
    expect(await service.queue.history(id)).toHaveLength(1);
    expect(worker.started[0]).toBe(id);
    expect(await service.queue.get(id)).toMatchObject({ result: COMPUTING, crashes: 0 });
    await waitUntil(() => worker.named('node.blocked').length > 0);
    const [blocked] = worker.named('node.blocked');
    expect(blocked?.handlers).toEqual(['compute']);
    expect(blocked?.for).toBeGreaterThan(COMPUTING * 0.9);
    expect(blocked?.for).toBeLessThan(COMPUTING * 1.5);
    expect(worker.named('node.lost')).toEqual([]);
  }, 30_000);

  it('whose thread ends is the main thread’s until there is another thread, which survives computing as well', async () => {
    const { worker } = computing;
    worker.endThreads();
    await waitUntil(() => worker.threads === 2, { describe: 'another thread' });
    expect(worker.named('heartbeat.thread-ended')).toEqual([
      { name: 'heartbeat.thread-ended', error: 'it has exited', againIn: 1_000 },
    ]);
    const id = await service.begin(worker, 'compute', 1.5 * LEASE.duration);
    await service.succeeded(id, 20_000);
    expect(await service.queue.history(id)).toHaveLength(1);
    expect(worker.named('node.lost')).toEqual([]);
  }, 30_000);

  it('ends when the main thread hangs for longer than hungAfter; what that answers at last is dropped', async () => {
    const { worker, id } = hanging;
    // The one that has computed may be the first to find it dead.
    const others = [watcher, computing.worker];
    const isFound = () => others.some((other) => other.named('node.rescued').length > 0);
    await waitUntil(isFound, { timeout: 15_000, describe: 'the hung process to be found dead' });
    await service.succeeded(id, 15_000);
    const isOver = () => worker.named('job.lost').length > 0 && worker.named('node.registered').length > 0;
    await waitUntil(isOver, { timeout: 15_000, describe: 'the hung process to hear of its death' });
    expect(await service.queue.get(id)).toMatchObject({ result: 1 });
    expect(worker.named('job.lost').map(({ job }) => job.id)).toEqual([id]);
    expect(worker.named('node.lost')).toHaveLength(1);
    expect(worker.named('node.registered')).toHaveLength(1);
  }, 30_000);

  it('keeps no process alive that is told to end', async () => {
    const before = performance.now();
    await watcher.stop();
    expect(performance.now() - before).toBeLessThan(5_000);
  });
});
