import { describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { InvalidLockError } from '../../lib/errors/invalid-lock.error.js';
import type { Lock } from '../../lib/lock/lock.js';
import type { QueueFixture } from '../support/queue-fixture.js';
import { processName } from '../../lib/support/process-name.js';
import { waitUntil } from '../support/wait-until.js';
import type { ContractContext } from './contract-context.js';

const LOCKS = { table: 'shedlock_tab' };
const OTHER = 'shop-10.0.0.7-pod-1-1700000000000000000';

/** How another program writes now, a time in seconds from now, and how many seconds a time is away. */
const SQL = {
  sqlite: {
    now: "datetime('now')",
    later: (s: number) => `datetime('now', '${s} seconds')`,
    away: "(julianday(lock_until) - julianday('now')) * 86400",
  },
  postgres: {
    now: 'now()',
    later: (s: number) => `now() + interval '${s} seconds'`,
    away: 'extract(epoch FROM lock_until - now())',
  },
  mariadb: {
    now: 'NOW()',
    later: (s: number) => `DATE_ADD(NOW(), INTERVAL ${s} SECOND)`,
    away: 'UNIX_TIMESTAMP(lock_until) - UNIX_TIMESTAMP(NOW(3))',
  },
};

export function shedlockContract(context: ContractContext): void {
  const { now, later, away } = SQL[context.database.name === 'mysql' ? 'mariadb' : context.database.name];

  /** As the shedlock of Go does it, whoever has the lock: it asks for no owner when it releases. */
  const release = ({ sql }: QueueFixture, name: string) =>
    sql(`UPDATE shedlock_tab SET lock_until = ${now} WHERE lock_name = ?`, [name]);

  describe('a lock in the table of another program', () => {
    it('has one holder among all services, and fences that only grow', async () => {
      const one = await context.open({ locks: LOCKS });
      const two = await context.open({ locks: LOCKS });
      const fences: number[] = [];
      for (const [holder, other] of [
        [one, two],
        [two, one],
        [one, two],
      ] as const) {
        const lock = await take(holder, 'shared');
        expect(await other.locks.tryAcquire('shared')).toBeUndefined();
        fences.push(lock.fence);
        await lock.release();
      }
      expect(fences).toEqual([1, 2, 3]);
      expect(await one.sql('SELECT lock_name FROM shedlock_tab WHERE lock_name = ?', ['shared'])).toHaveLength(1);
    });

    it('is given to one of many who ask at once', async () => {
      const one = await context.open({ locks: LOCKS });
      const two = await context.open({ locks: LOCKS });
      const asked = Array.from({ length: 10 }, (_, n) => (n % 2 ? one : two).locks.tryAcquire('many'));
      const locks = (await Promise.all(asked)).filter((answer) => answer !== undefined);
      expect(locks.map(({ fence }) => fence)).toEqual([1]);
      await locks[0]?.release();
    });

    it('is left to the other program for as long as that holds it', async () => {
      const fixture = await context.open({ locks: LOCKS });
      await fixture.sql(
        `INSERT INTO shedlock_tab (lock_name, lock_until, locked_at, locked_by) VALUES ('theirs', ${later(60)}, ${now}, ?)`,
        [OTHER],
      );
      expect(await fixture.locks.tryAcquire('theirs')).toBeUndefined();
      await release(fixture, 'theirs');
      const lock = await take(fixture, 'theirs', { atMost: '30s' });
      expect(lock.fence).toBe(1);
      const [row] = await fixture.sql<{ locked_by: string; away: string }>(
        `SELECT locked_by, ${away} AS away FROM shedlock_tab WHERE lock_name = 'theirs'`,
      );
      expect(row?.locked_by).toHaveLength(36);
      expect(Number(row?.away)).toBeGreaterThanOrEqual(29.5);
      expect(Number(row?.away)).toBeLessThanOrEqual(31.5);
      await lock.release();
      const free = `SELECT lock_name FROM shedlock_tab WHERE lock_name = 'theirs' AND lock_until <= ${now}`;
      expect(await fixture.sql(free)).toHaveLength(1);
    });

    it('is lost when the other program takes it away, and never released in its name', async () => {
      const fixture = await context.open({ locks: LOCKS });
      const lock = await take(fixture, 'robbed', { atMost: 600 });
      await release(fixture, 'robbed');
      await fixture.sql(
        `UPDATE shedlock_tab SET lock_until = ${later(60)}, locked_at = ${now}, locked_by = ? WHERE lock_name = 'robbed'`,
        [OTHER],
      );
      await waitUntil(() => lock.signal.aborted);
      expect(lock.signal.reason).toMatchObject({ why: 'taken away' });
      await lock.release();
      expect(await fixture.locks.tryAcquire('robbed')).toBeUndefined();
    });

    it('is renewed while it is held, and kept for atLeast', async () => {
      const one = await context.open({ locks: LOCKS });
      const two = await context.open({ locks: LOCKS });
      const lock = await take(one, 'kept', { atMost: 900, atLeast: 900 });
      for (const until = performance.now() + 2_500; performance.now() < until; await pause(50)) {
        expect(await two.locks.tryAcquire('kept')).toBeUndefined();
        expect(lock.signal.aborted).toBe(false);
      }
      await lock.release();
      const next = await take(two, 'kept', { atMost: '10s', atLeast: '1s' });
      await next.release();
      expect(await one.locks.tryAcquire('kept')).toBeUndefined();
      const last = await one.locks.acquire('kept', { wait: '5s' });
      expect(last.fence).toBe(3);
      await last.release();
    });

    it('that was released is not renewed by a renewal that was on its way', async () => {
      const { lockRepository } = await context.open({ locks: LOCKS });
      const lock = { name: 'on its way', token: 'mine' };
      await lockRepository.take({ ...lock, owner: 'me', atMost: 60_000 });
      expect(await lockRepository.renew({ ...lock, token: 'theirs' }, 60_000)).toBe(false);
      expect(await lockRepository.renew(lock, 60_000)).toBe(true);
      await lockRepository.release(lock, 30_000);
      expect(await lockRepository.renew(lock, 60_000)).toBe(false);
    });

    it('is shown with who holds it, ours with its fence, and so are those of the other program', async () => {
      const one = await context.open({ locks: LOCKS });
      const two = await context.open({ locks: LOCKS });
      await one.sql(
        `INSERT INTO shedlock_tab (lock_name, lock_until, locked_at, locked_by) VALUES ('shown theirs', ${later(60)}, ${now}, ?)`,
        [OTHER],
      );
      await (await take(one, 'shown free')).release();
      const lock = await take(two, 'shown ours', { atMost: '30s' });
      const shown = (await one.inspector.locks()).filter(({ name }) => name.startsWith('shown'));
      expect(shown).toMatchObject([
        { name: 'shown free', owner: processName(), fence: 1, held: false },
        { name: 'shown ours', owner: processName(), fence: 1, held: true },
        { name: 'shown theirs', owner: OTHER, fence: 0, held: true },
      ]);
      const times = shown.map(({ lockedAt, lockedUntil }) => lockedUntil.getTime() - lockedAt.getTime());
      expect(times[1]).toBeGreaterThanOrEqual(30_000);
      expect(times[1]).toBeLessThanOrEqual(33_000);
      expect(Math.abs((times[2] ?? 0) - 60_000)).toBeLessThan(2_000);
      await lock.release();
    });

    it('has a name that fits into the table', async () => {
      const { locks } = await context.open({ locks: LOCKS });
      await expect(locks.tryAcquire('x'.repeat(65))).rejects.toThrow(InvalidLockError);
      await (await locks.tryAcquire('x'.repeat(64)))?.release();
    });
  });

  it.each(['a b', 'x'.repeat(64), '1st', 'a;DROP'])('a table of locks called %j is refused', async (table) => {
    await expect(context.open({ locks: { table } })).rejects.toThrow(/locks\.table.*letter/);
  });
}

async function take(fixture: QueueFixture, name: string, options = {}): Promise<Lock> {
  const lock = await fixture.locks.tryAcquire(name, options);
  if (lock === undefined) throw new Error(`somebody holds the lock ${name}`);
  return lock;
}
