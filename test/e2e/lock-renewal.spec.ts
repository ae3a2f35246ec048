import { afterEach, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import { QueueEvents } from '../../lib/events/queue-events.js';
import { LockRepository, type HeldLock, type LockAnswer } from '../../lib/lock/lock-repository.js';
import { LockService } from '../../lib/lock/lock-service.js';
import type { Lock } from '../../lib/lock/lock.js';
import { waitUntil } from '../support/wait-until.js';

const AT_MOST = 900;

/** A database that answers as the test wants. */
class Scripted extends LockRepository {
  readonly renewed: string[] = [];
  readonly released: string[] = [];
  onTake: () => Promise<unknown> = async () => undefined;
  onRenew: () => Promise<boolean> = async () => true;
  private fence = 0;

  async take(): Promise<LockAnswer> {
    await this.onTake();
    return { fence: ++this.fence };
  }

  renew({ name }: HeldLock): Promise<boolean> {
    this.renewed.push(name);
    return this.onRenew();
  }

  async holdIn(): Promise<boolean> {
    return true;
  }

  async release({ name }: HeldLock): Promise<void> {
    this.released.push(name);
  }
}

describe('the renewal of a lock', () => {
  const heard: QueueEvent[] = [];
  const repository = new Scripted();
  const events = new QueueEvents();
  const locks = new LockService(repository, events);
  events.events$.subscribe((event) => heard.push(event));
  const take = async (name: string) => (await locks.tryAcquire(name, { atMost: AT_MOST })) as Lock;
  const renewals = (name: string) => repository.renewed.filter((each) => each === name).length;
  afterEach(() => {
    repository.onTake = async () => undefined;
    repository.onRenew = async () => true;
    heard.length = 0;
  });

  it('that never answers does not keep the next one from being tried', async () => {
    const never = new Promise<boolean>(() => undefined);
    repository.onRenew = () => (renewals('hangs') === 1 ? never : Promise.resolve(true));
    const lock = await take('hangs');
    await waitUntil(() => renewals('hangs') > 5);
    expect(lock.signal.aborted).toBe(false);
    await lock.release();
  });

  it('that fails, also without a promise, is tried again soon and told, and ends nothing', async () => {
    repository.onRenew = () => {
      if (renewals('fails') % 2 === 1) throw new Error('the database is away');
      return Promise.resolve(true);
    };
    const lock = await take('fails');
    await waitUntil(() => renewals('fails') > 5);
    expect(lock.signal.aborted).toBe(false);
    await lock.release();
    expect(heard[0]).toEqual({
      name: 'database.error',
      during: "the renewal of lock 'fails'",
      error: 'the database is away',
      errorName: 'Error',
    });
  });

  it('is counted from before it was sent: a slow one keeps the lock no longer than the database does', async () => {
    let sent = 0;
    repository.onRenew = async () => {
      if (sent > 0) return new Promise(() => undefined);
      sent = performance.now();
      await pause(AT_MOST / 2);
      return true;
    };
    const lock = await take('slow');
    await waitUntil(() => lock.signal.aborted);
    expect(performance.now() - sent).toBeGreaterThan(AT_MOST * 0.8);
    expect(performance.now() - sent).toBeLessThan(AT_MOST);
    await lock.release();
  });

  it('that comes after the loss does not bring the lock back', async () => {
    repository.onRenew = async () => {
      await pause(AT_MOST);
      return true;
    };
    const lock = await take('back');
    await waitUntil(() => lock.signal.aborted);
    await pause(AT_MOST);
    expect(lock.signal.aborted).toBe(true);
    expect(heard.filter(({ name }) => name === 'lock.lost')).toHaveLength(1);
    await lock.release();
  });

  it('ends with the release, after which a late answer changes nothing', async () => {
    repository.onRenew = async () => {
      await pause(50);
      return false;
    };
    const lock = await take('released');
    await waitUntil(() => renewals('released') > 0);
    await lock.release();
    const until = renewals('released');
    await pause(AT_MOST);
    expect(renewals('released')).toBe(until);
    expect(lock.signal.aborted).toBe(false);
    expect(repository.released).toContain('released');
  });

  it('cannot save a lock that has arrived too late: it is given back and counts as taken', async () => {
    repository.onTake = () => pause(AT_MOST);
    expect(await take('late')).toBeUndefined();
    expect(repository.released).toContain('late');
    await locks.idle(60_000);
  });

  it('is asked for with a signal that other interfaces take', async () => {
    repository.onRenew = async () => false;
    const lock = await take('interfaces');
    const both = AbortSignal.any([lock.signal, AbortSignal.timeout(10_000)]);
    await expect(pause(10_000, undefined, { signal: lock.signal })).rejects.toThrow(/aborted/);
    expect(both.reason).toMatchObject({ name: 'LockLostError', why: 'taken away' });
    expect(lock.signal).toBeInstanceOf(AbortSignal);
  });
});
