import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { databases, onEveryDatabase, type TestDatabase } from '../support/databases.js';
import { LedgerFixture } from '../support/ledger-fixture.js';
import type { LockHolderProcess } from '../support/lock-holder-process.js';
import { waitUntil } from '../support/wait-until.js';

const AT_MOST = 2_000;
/** As good as for ever: who has the lock keeps it. */
const WORK = 600_000;

interface Story {
  ledger: LedgerFixture;
  first: LockHolderProcess;
  second: LockHolderProcess;
  fences: { first: number; second: number; firstAgain: number };
  /** From the death of the second holder until the first one has written again. */
  tookOver: number;
}

describe('two processes that want one lock', () => {
  const ledgers: LedgerFixture[] = [];
  let on: (name: string) => Promise<Story>;
  beforeAll(() => {
    on = onEveryDatabase(tell);
  });
  afterAll(() => Promise.all(ledgers.map((ledger) => ledger.close())));

  async function tell(database: TestDatabase): Promise<Story> {
    const ledger = await LedgerFixture.create(database, { atMost: AT_MOST, work: WORK });
    ledgers.push(ledger);
    const first = ledger.launch();
    const fence = await ledger.hasWritten(first);
    const second = ledger.launch();
    // Long enough for several renewals.
    await pause(2 * AT_MOST);
    expect(second.fences).toEqual([]);

    first.freeze();
    await pause(1.5 * AT_MOST);
    const secondFence = await ledger.hasWritten(second, fence);
    first.thaw();
    await waitUntil(() => first.told('refused').length > 0, { describe: 'a late write to be refused' });

    const died = performance.now();
    await second.kill();
    const firstAgain = await ledger.hasWritten(first, secondFence);
    const tookOver = performance.now() - died;
    return { ledger, first, second, fences: { first: fence, second: secondFence, firstAgain }, tookOver };
  }

  describe.each(databases())('on $name', ({ name }) => {
    it('hold it one after the other, with higher and higher fences', async () => {
      const { ledger, first, second, fences } = await on(name);
      expect(fences).toEqual({ first: 1, second: 2, firstAgain: 3 });
      const inOrder = (await ledger.entries()).map(({ fence, pid }) => `${fence} ${pid}`);
      expect(inOrder.filter((entry, at) => entry !== inOrder[at - 1])).toEqual([
        `1 ${first.pid}`,
        `2 ${second.pid}`,
        `3 ${first.pid}`,
      ]);
      expect(ledger.failures).toEqual([]);
    }, 60_000);

    it('know after a stop, at the first look, that the lock is lost, and write nothing more', async () => {
      const { first } = await on(name);
      expect(first.told('stoodStill')).toMatchObject([{ aborted: true }]);
      expect(first.told('lost')).toEqual([{ lost: 1, why: 'not renewed' }]);
      expect(first.told('refused')).toEqual([{ refused: 1, aborted: true }]);
    }, 60_000);

    it('get that of one that was killed when atMost has passed', async () => {
      const { tookOver } = await on(name);
      expect(tookOver).toBeGreaterThan(AT_MOST / 2);
      expect(tookOver).toBeLessThan(AT_MOST + 3_000);
    }, 60_000);
  });
});
