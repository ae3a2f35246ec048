import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import { LockService } from '../../lib/lock/lock-service.js';
import type { Lock } from '../../lib/lock/lock.js';
import { startApp, type AppFixture } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { Relay } from '../support/relay.js';
import { waitUntil } from '../support/wait-until.js';

const AT_MOST = 1_000;

describe.each(databases().filter(({ name }) => name !== 'sqlite'))('a lock while $name is away', (database) => {
  let schema: TestSchema;
  let relay: Relay;
  let near: AppFixture;
  let far: AppFixture;
  const events: QueueEvent[] = [];
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  beforeAll(async () => {
    schema = await database.create();
    process.on('unhandledRejection', note);
  });
  beforeEach(async () => {
    near = await startApp(schema, { queue: { roles: ['enqueue'] } });
    relay = await Relay.start(schema.options);
    far = await startApp({ ...schema, options: relay.options }, { queue: { roles: ['enqueue'] } });
    events.length = 0;
    far.queue.events$.subscribe((event) => events.push(event));
  });
  afterEach(async () => {
    relay.restore();
    await Promise.all([near.close(), far.close()]);
    relay.close();
    expect(unhandled).toEqual([]);
  });
  afterAll(async () => {
    process.off('unhandledRejection', note);
    await schema.drop();
  });

  async function hold(name: string, atMost: number): Promise<Lock> {
    return (await far.app.get(LockService).tryAcquire(name, { atMost })) as Lock;
  }

  const elsewhere = (name: string) => near.app.get(LockService).tryAcquire(name);

  it('for a moment is kept: failed renewals are tried again', async () => {
    const lock = await hold('kept', 2 * AT_MOST);
    relay.cut();
    await waitUntil(() => events.some(({ name }) => name === 'database.error'), { describe: 'a renewal to fail' });
    relay.restore();
    for (const until = performance.now() + 2 * AT_MOST; performance.now() < until; await pause(50)) {
      expect(lock.signal.aborted).toBe(false);
      expect(await elsewhere('kept')).toBeUndefined();
    }
    await lock.release();
    const next = await elsewhere('kept');
    expect(next?.fence).toBe(2);
    await next?.release();
  });

  it.each(['cut', 'silence'] as const)(
    'for too long is lost before anybody else has it (%s)',
    async (outage) => {
      const lock = await hold(outage, AT_MOST);
      let abortedAt = 0;
      lock.signal.addEventListener('abort', () => (abortedAt = performance.now()));
      relay[outage]();
      const next = await near.app.get(LockService).acquire(outage, { wait: '10s' });
      const taken = performance.now();
      expect(abortedAt).toBeGreaterThan(0);
      expect(abortedAt).toBeLessThan(taken);
      expect(lock.signal.reason).toMatchObject({ why: 'not renewed' });
      expect(events).toContainEqual({ name: 'lock.lost', lock: outage, fence: 1 });
      relay.restore();
      await lock.release();
      expect(next.signal.aborted).toBe(false);
      await next.release();
      // Of its service, too, nothing is left behind.
      const again = await waitUntil(() => hold(outage, AT_MOST).catch(() => undefined), { timeout: 20_000 });
      expect(again?.fence).toBe(3);
      await again?.release();
    },
    40_000,
  );
});
