import { describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';
import { InvalidLockError } from '../../lib/errors/invalid-lock.error.js';
import { LockLostError } from '../../lib/errors/lock-lost.error.js';
import type { Lock } from '../../lib/lock/lock.js';
import { deferred, waitUntil } from '../support/wait-until.js';
import type { QueueFixture } from '../support/queue-fixture.js';
import type { ContractContext } from './contract-context.js';

/** Long enough for a machine that is busy to renew in time. */
const AT_MOST = 1_200;

export function operationsContract(context: ContractContext): void {
  let names = 0;
  let purchases = 900;

  describe.each([
    ['a table of ours', undefined],
    ['the table of another program', { table: 'shedlock_tab' }],
  ])('a transaction that holds a lock in %s', (_, locks) => {
    /** Two processes of one service, and a lock that the first one holds. */
    async function openTwo(atMost = AT_MOST): Promise<[QueueFixture, QueueFixture, Lock]> {
      const one = await context.open({ ...(locks && { locks }) });
      const two = await context.open({ serviceName: one.service, ...(locks && { locks }) });
      const lock = await one.locks.tryAcquire(`held-${++names}`, { atMost });
      if (lock === undefined) throw new Error('somebody holds the lock');
      return [one, two, lock];
    }

    const insert = (manager: EntityManager) => manager.query(`INSERT INTO purchase (id) VALUES (${++purchases})`);
    const inserted = async ({ sql }: QueueFixture) =>
      (await sql(`SELECT id FROM purchase WHERE id = ${purchases}`)).length === 1;

    it('keeps everybody else from it, also when it has run out, until that ends', async () => {
      const [one, two, lock] = await openTwo(300);
      const asked = deferred<Lock | undefined>();
      let isAnswered = false;
      const late = one.queue.transaction((manager) =>
        lock.holdIn(manager, async () => {
          await insert(manager);
          await runsOut(lock, locks === undefined ? 300 : 2_300);
          void two.locks.tryAcquire(lock.name).then(asked.resolve, asked.reject);
          void asked.promise.finally(() => (isAnswered = true)).catch(() => undefined);
          await pause(300);
          expect(isAnswered).toBe(false);
        }),
      );
      await expect(late).rejects.toBeInstanceOf(LockLostError);
      expect(await inserted(one)).toBe(false);
      const next = (await asked.promise) ?? (await two.locks.acquire(lock.name, { wait: '5s' }));
      expect(next.fence).toBe(lock.fence + 1);
      await next.release();
    });

    it('is refused before it writes anything when the lock is lost', async () => {
      const [one, two, lock] = await openTwo();
      await one.sql(
        `UPDATE ${locks?.table ?? 'pq_lock'} SET ${locks === undefined ? 'token' : 'locked_by'} = 'another'`,
      );
      let began = false;
      const refused = one.queue.transaction(async (manager) => {
        await insert(manager);
        await lock.holdIn(manager, async () => (began = true));
      });
      await expect(refused).rejects.toMatchObject({ name: 'LockLostError', why: 'taken away' });
      expect(began).toBe(false);
      expect(await inserted(two)).toBe(false);
      await expect(one.queue.transaction((manager) => lock.holdIn(manager, () => insert(manager)))).rejects.toThrow(
        LockLostError,
      );
    });

    it('is refused after a release', async () => {
      const [one, , lock] = await openTwo();
      await lock.release();
      const refused = one.queue.transaction((manager) => lock.holdIn(manager, () => insert(manager)));
      await expect(refused).rejects.toMatchObject({ name: 'LockLostError', why: 'released' });
    });

    it('must be one: outside of a transaction it is refused', async () => {
      const [one, , lock] = await openTwo();
      const outside = lock.holdIn(one.dataSource.manager, async () => undefined);
      await expect(outside).rejects.toThrow(InvalidLockError);
      await lock.release();
    });

    it('commits what was written, and answers what the work does', async () => {
      const [one, , lock] = await openTwo();
      const answer = await one.queue.transaction((manager) =>
        lock.holdIn(manager, async () => {
          await insert(manager);
          return 'written';
        }),
      );
      expect(answer).toBe('written');
      expect(await inserted(one)).toBe(true);
      await lock.release();
    });

    it('may take longer than a renewal can wait: the lock is held on after it', async () => {
      const [one, two, lock] = await openTwo();
      await one.queue.transaction((manager) => lock.holdIn(manager, () => pause(AT_MOST / 2)));
      for (const until = performance.now() + 2 * AT_MOST; performance.now() < until; await pause(50)) {
        expect(lock.signal.aborted).toBe(false);
        expect(await two.locks.tryAcquire(lock.name)).toBeUndefined();
      }
      await lock.release();
    });

    it('does not wait for a renewal that is due: that would wait for the transaction, where there is one writer', async () => {
      const [one, , lock] = await openTwo();
      const began = performance.now();
      // No timer can have renewed it.
      while (performance.now() < began + AT_MOST / 2);
      expect(await one.queue.transaction((manager) => lock.holdIn(manager, async () => 'done'))).toBe('done');
      expect(performance.now() - began).toBeLessThan(AT_MOST);
      await pause(AT_MOST);
      expect(lock.signal.aborted).toBe(false);
      await lock.release();
    });
  });
}

/** As the holder counts, and as the database does. */
async function runsOut({ signal }: Lock, atMost: number): Promise<void> {
  const began = performance.now();
  await waitUntil(() => signal.aborted);
  await pause(began + atMost - performance.now());
}
