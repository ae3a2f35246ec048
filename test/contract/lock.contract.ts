import { describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { InvalidLockError } from '../../lib/errors/invalid-lock.error.js';
import { LockInTransactionError } from '../../lib/errors/lock-in-transaction.error.js';
import { LockLostError } from '../../lib/errors/lock-lost.error.js';
import { LockTimeoutError } from '../../lib/errors/lock-timeout.error.js';
import { NotRunningError } from '../../lib/errors/not-running.error.js';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import type { Lock } from '../../lib/lock/lock.js';
import { deferred, waitUntil } from '../support/wait-until.js';
import type { QueueFixture } from '../support/queue-fixture.js';
import type { ContractContext } from './contract-context.js';

/** Short: a test waits until it is over. */
const BRIEF = 300;
/** Long enough for a machine that is busy to renew in time. */
const LONG = 1_200;

export function lockContract(context: ContractContext): void {
  /** Two processes of one service, as far as a lock can tell. */
  async function openTwo(): Promise<[QueueFixture, QueueFixture]> {
    const one = await context.open();
    return [one, await context.open({ serviceName: one.service })];
  }

  describe('a lock', () => {
    it('has one holder, and is free again when that releases it', async () => {
      const [one, two] = await openTwo();
      const lock = await take(one, 'report');
      expect(await two.locks.tryAcquire('report')).toBeUndefined();
      expect(await one.locks.tryAcquire('report')).toBeUndefined();
      await lock.release();
      await lock[Symbol.asyncDispose]();
      const next = await take(two, 'report');
      expect(lock.signal.aborted).toBe(false);
      await next.release();
    });

    it('is given to one of many who ask at once, also when nobody has ever asked before', async () => {
      const [one, two] = await openTwo();
      for (let round = 0; round < 3; round++) {
        const asked = Array.from({ length: 10 }, (_, n) => (n % 2 ? one : two).locks.tryAcquire('crowd'));
        const [lock, ...others] = (await Promise.all(asked)).filter((answer) => answer !== undefined);
        expect(others).toEqual([]);
        expect(lock?.fence).toBe(round + 1);
        await lock?.release();
      }
    });

    context.itWithSql(
      'has a fence that only grows: after a release, after it has run out, in another process',
      async () => {
        const [one, two] = await openTwo();
        const fences = [];
        for (const fixture of [one, two, one]) {
          const lock = await take(fixture, 'f');
          fences.push(lock.fence);
          await lock.release();
        }
        fences.push((await take(one, 'f')).fence);
        await runOut(one, 'f');
        fences.push((await take(two, 'f')).fence);
        expect(fences).toEqual([1, 2, 3, 4, 5]);
        expect(fences.every((fence) => typeof fence === 'number')).toBe(true);
      },
    );

    it('belongs to its service and its name, compared byte by byte', async () => {
      const one = await context.open();
      const other = await context.open();
      const names = ['A', 'a', 'a ', 'á', 'a\u0301', '😀', 'x'.repeat(255)];
      const locks = await Promise.all([one, other].flatMap((fixture) => names.map((name) => take(fixture, name))));
      expect(locks.map(({ name }) => name)).toEqual([...names, ...names]);
      expect(await one.locks.tryAcquire('a ')).toBeUndefined();
    });

    it('of a holder that is gone runs out after atMost', async () => {
      const [one, two] = await openTwo();
      const { fence } = await take(one, 'gone', { atMost: BRIEF });
      // As a crash would: nothing renews it any more.
      one.locks.stop();
      const asked = performance.now();
      expect(await two.locks.tryAcquire('gone')).toBeUndefined();
      const lock = await two.locks.acquire('gone', { wait: '10s' });
      expect(lock.fence).toBe(fence + 1);
      expect(performance.now() - asked).toBeLessThan(BRIEF + 2_000);
    });

    it('is renewed for as long as it is held', async () => {
      const [one, two] = await openTwo();
      const lock = await take(one, 'long', { atMost: LONG });
      const until = performance.now() + 2 * LONG;
      while (performance.now() < until) {
        expect(await two.locks.tryAcquire('long')).toBeUndefined();
        expect(lock.signal.aborted).toBe(false);
        await pause(20);
      }
      await lock.release();
    });

    context.itWithSql('stays taken for atLeast after it was taken, and no longer', async () => {
      const [one, two] = await openTwo();
      const lock = await take(one, 'least', { atMost: '10s', atLeast: BRIEF });
      const [before] = await rowOf(one, 'least');
      await lock.release();
      const [row] = await rowOf(one, 'least');
      expect(Number(row?.locked_until) - Number(row?.locked_at)).toBe(BRIEF);
      expect(row?.locked_at).toBe(before?.locked_at);
      expect(await two.locks.tryAcquire('least')).toBeUndefined();
      await (await two.locks.acquire('least', { wait: '5s' })).release();
    });

    context.itWithSql.each([
      ['20s', 15_000],
      ['5s', 4_000],
      ['500ms', 0],
    ])("with atMost %s and atLeast 'auto' stays taken for %d ms", async (atMost, least) => {
      const one = await context.open();
      await (await take(one, 'auto', { atMost, atLeast: 'auto' })).release();
      const [row] = await rowOf(one, 'auto');
      const length = Number(row?.locked_until) - Number(row?.locked_at);
      expect(length).toBeGreaterThanOrEqual(least);
      expect(length).toBeLessThan(least + 2_000);
    });

    it('that was released is not renewed by a renewal that was on its way', async () => {
      const { lockRepository } = await context.open();
      const lock = { name: 'on its way', token: 'mine' };
      await lockRepository.take({ ...lock, owner: 'me', atMost: 60_000 });
      expect(await lockRepository.renew({ ...lock, token: 'theirs' }, 60_000)).toBe(false);
      expect(await lockRepository.renew(lock, 60_000)).toBe(true);
      await lockRepository.release(lock, 30_000);
      expect(await lockRepository.renew(lock, 60_000)).toBe(false);
    });

    context.itWithSql('can be extended, and its renewals do not make it shorter again', async () => {
      const one = await context.open();
      const lock = await take(one, 'extended', { atMost: LONG });
      await lock.extend('1m');
      await pause(LONG / 2);
      const [row] = await rowOf(one, 'extended');
      expect(Number(row?.locked_until) - Number(row?.locked_at)).toBeGreaterThanOrEqual(60_000);
      await lock.release();
      await expect(lock.extend()).rejects.toThrow(/released.*'extended' with fence 1.*anew/);
    });
  });

  describe('a lock that is lost', () => {
    context.itWithSql('aborts its signal at the next renewal, says so, and changes nothing any more', async () => {
      const [one, two] = await openTwo();
      const events = heard(one);
      const lock = await take(one, 'lost', { atMost: BRIEF });
      await runOut(one, 'lost');
      const next = await take(two, 'lost', { atMost: '1m' });
      const reason = await aborted(lock);
      expect(reason).toBeInstanceOf(LockLostError);
      expect(reason).toMatchObject({ lock: 'lost', fence: 1 });
      expect(() => lock.signal.throwIfAborted()).toThrow(LockLostError);
      expect(events.filter(({ name }) => name === 'lock.lost')).toEqual([
        { name: 'lock.lost', lock: 'lost', fence: 1 },
      ]);
      const before = await rowOf(two, 'lost');
      await lock.release();
      await expect(lock.extend()).rejects.toThrow(LockLostError);
      expect(await rowOf(two, 'lost')).toEqual(before);
      expect(next.signal.aborted).toBe(false);
      await next.release();
    });

    context.itWithSql('can be taken again by the process that has lost it, as often as it loses it', async () => {
      const [one, two] = await openTwo();
      for (let round = 0; round < 3; round++) {
        const lock = await one.locks.acquire('again', { atMost: BRIEF, wait: '5s' });
        await runOut(one, 'again');
        const theirs = await take(two, 'again', { atMost: '1m' });
        await aborted(lock);
        expect(await one.locks.tryAcquire('again')).toBeUndefined();
        await lock.release();
        await theirs.release();
        expect(theirs.fence).toBe(lock.fence + 1);
      }
      await (await take(one, 'again')).release();
    });

    context.itWithSql('is not renewed when it has run out, even if nobody else has taken it', async () => {
      const one = await context.open();
      const lock = await take(one, 'late', { atMost: BRIEF });
      await runOut(one, 'late');
      await aborted(lock);
      const [row] = await rowOf(one, 'late');
      expect(Number(row?.locked_until)).toBe(1);
    });

    it('is known as lost by the first look after the process has stood still, before any timer', async () => {
      const one = await context.open();
      const lock = await take(one, 'still', { atMost: BRIEF });
      for (const until = performance.now() + BRIEF; performance.now() < until;);
      expect(lock.signal.aborted).toBe(true);
      expect(() => lock.signal.throwIfAborted()).toThrow(/could not be renewed in time.*'still' with fence 1/);
      await lock.release();
      await (await take(one, 'still')).release();
    });

    context.itWithSql('by a row that was deleted is known by its next renewal', async () => {
      const one = await context.open();
      const lock = await take(one, 'deleted', { atMost: BRIEF });
      await one.sql('DELETE FROM pq_lock WHERE service = ?', [one.service]);
      expect(await aborted(lock)).toMatchObject({ why: 'taken away' });
    });
  });

  describe('waiting for a lock', () => {
    it('ends soon after it was released', async () => {
      const [one, two] = await openTwo();
      const first = await take(one, 'w');
      const waiting = two.locks.acquire('w', { wait: '20s' });
      await pause(100);
      await first.release();
      const released = performance.now();
      const second = await waiting;
      expect(performance.now() - released).toBeLessThan(2_000);
      expect(second.fence).toBe(2);
      await second.release();
    });

    it('ends after wait with an error that names the lock', async () => {
      const [one, two] = await openTwo();
      const lock = await take(one, 'busy');
      await expect(two.locks.acquire('busy', { wait: 50 })).rejects.toThrow(LockTimeoutError);
      await expect(two.locks.acquire('busy', { wait: 0 })).rejects.toThrow(/not free within 0 ms.*'busy'/);
      await lock.release();
      await (await two.locks.acquire('busy', { wait: 0 })).release();
    });

    it('ends when the application does', async () => {
      const [one, two] = await openTwo();
      await take(one, 'stopped');
      const waiting = two.locks.acquire('stopped', { wait: '20s' });
      const asked = expect(waiting).rejects.toThrow(NotRunningError);
      await pause(50);
      two.locks.stop();
      await asked;
      await expect(two.locks.tryAcquire('other')).rejects.toThrow(NotRunningError);
    });
  });

  describe('work under a lock', () => {
    it('is done by one at a time, gets the lock, and its answer or error passes through', async () => {
      const [one, two] = await openTwo();
      let inside = 0;
      const work = async (lock: Lock) => {
        expect(++inside).toBe(1);
        await pause(5);
        inside--;
        return lock.fence;
      };
      const all = [one, two, one, two].map(({ locks }) => locks.using('work', {}, work));
      expect(new Set(await Promise.all(all))).toEqual(new Set([1, 2, 3, 4]));
      const broken = one.locks.using('work', {}, () => {
        throw new Error('it broke');
      });
      await expect(broken).rejects.toThrow('it broke');
      expect(await two.locks.tryUsing('work', {}, ({ fence }) => fence)).toBe(6);
    });

    it('is left out by tryUsing() when somebody holds it', async () => {
      const [one, two] = await openTwo();
      const lock = await take(one, 'mine');
      let done = false;
      expect(await two.locks.tryUsing('mine', {}, () => (done = true))).toBeUndefined();
      expect(done).toBe(false);
      await lock.release();
    });

    it('finds its lock as the current one, however deep', async () => {
      const one = await context.open();
      expect(one.locks.current).toBeUndefined();
      await one.locks.using('outer', {}, async (outer) => {
        await pause(1);
        expect(one.locks.current).toBe(outer);
        await one.locks.using('inner', {}, (inner) => expect(one.locks.current).toBe(inner));
        expect(one.locks.current).toBe(outer);
      });
    });

    it('is waited for by a shutdown, and then told to stop, without a release', async () => {
      const [one, two] = await openTwo();
      const end = deferred();
      const begun = deferred<Lock>();
      const working = one.locks.using('drain', { atMost: '20s' }, async (lock) => {
        begun.resolve(lock);
        await end.promise;
      });
      const lock = await begun.promise;
      const asked = performance.now();
      await one.locks.idle(100);
      expect(performance.now() - asked).toBeGreaterThanOrEqual(99);
      expect(lock.signal.aborted).toBe(false);
      one.locks.stop();
      expect(lock.signal.reason).toMatchObject({ name: 'LockLostError', why: 'shutdown' });
      expect(await two.locks.tryAcquire('drain')).toBeUndefined();
      end.resolve();
      await working;
      await one.locks.idle(60_000);
    });
  });

  describe('a lock beside a transaction', () => {
    it('is taken before it and released after it', async () => {
      const one = await context.open();
      await one.locks.using('around', {}, () => one.queue.transaction(() => one.queue.enqueue('t', 1)));
      expect(await one.queue.counts()).toMatchObject([{ count: 1 }]);
    });

    if (context.database.name === 'sqlite') {
      context.itWithSql('is refused inside of it, at once, where there is one writer', async () => {
        const one = await context.open();
        await one.locks.using('known', {}, () => undefined);
        const inside = one.queue.transaction(() => one.locks.tryAcquire('known'));
        await expect(inside).rejects.toThrow(/'known'.*Take the lock first/);
        await expect(inside).rejects.toBeInstanceOf(LockInTransactionError);
      });
    } else {
      it('may be taken inside of it, too', async () => {
        const one = await context.open();
        const lock = await one.queue.transaction(() => one.locks.tryAcquire('inside'));
        expect(lock?.signal.aborted).toBe(false);
        await lock?.release();
      });
    }
  });

  describe('a lock is refused', () => {
    it.each<[field: string, name: unknown, options: object, message: RegExp]>([
      ['name', '', {}, /name.*at least one character/],
      ['name', 'x'.repeat(300), {}, /name.*at most 255 characters \(it has 300\)/],
      ['name', 7, {}, /name.*string/],
      ['name', 'a\0', {}, /NUL/],
      ['atMost', 'l', { atMost: 5 }, /atMost.*got 5.*100 to/],
      ['atMost', 'l', { atMost: '3 moons' }, /atMost.*'3 moons'.*milliseconds/],
      ['atLeast', 'l', { atMost: '1s', atLeast: '2s' }, /atLeast.*'2s'.*at most atMost \(1000 ms\)/],
      ['atLeast', 'l', { atLeast: 'always' }, /atLeast.*'always'.*'auto'/],
      ['wait', 'l', { wait: -1 }, /wait.*-1/],
    ])('for its %s: %j, %j', async (field, name, options, message) => {
      const { locks } = await context.open();
      const refused = locks.acquire(name as string, options);
      await expect(refused).rejects.toThrow(message);
      await expect(refused).rejects.toBeInstanceOf(InvalidLockError);
      await expect(refused).rejects.toMatchObject({ field });
    });

    it('for an option that does not exist', async () => {
      const { locks } = await context.open();
      await expect(locks.acquire('l', { atMots: 1 } as object)).rejects.toThrow(/'atMots'.*acquire\(\).*'atMost'/);
    });
  });
}

async function take(fixture: QueueFixture, name: string, options = {}): Promise<Lock> {
  const lock = await fixture.locks.tryAcquire(name, options);
  if (lock === undefined) throw new Error(`somebody holds the lock ${name}`);
  return lock;
}

interface LockRow {
  locked_at: string;
  locked_until: string;
}

function rowOf({ sql, service }: QueueFixture, name: string): Promise<LockRow[]> {
  return sql<LockRow>('SELECT * FROM pq_lock WHERE service = ? AND name = ?', [service, name]);
}

/** As if its holder had been away for atMost. */
async function runOut({ sql, service }: QueueFixture, name: string): Promise<void> {
  await sql('UPDATE pq_lock SET locked_until = 1 WHERE service = ? AND name = ?', [service, name]);
}

function heard({ events }: QueueFixture): QueueEvent[] {
  const all: QueueEvent[] = [];
  events.events$.subscribe((event) => all.push(event));
  return all;
}

/** By the event, as work would hear it. */
async function aborted({ signal }: Lock): Promise<unknown> {
  let fired = false;
  signal.addEventListener('abort', () => (fired = true));
  await waitUntil(() => fired || signal.aborted);
  return signal.reason;
}
