import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { databases } from '../support/databases.js';
import { LedgerFixture } from '../support/ledger-fixture.js';
import type { LockHolderProcess } from '../support/lock-holder-process.js';
import { waitUntil } from '../support/wait-until.js';

const PROCESSES = 8;
const DURATION = Number(process.env['PQ_PROOF_LOCK_SECONDS'] ?? 60) * 1_000;
const AT_MOST = 2_000;
const WORK = 700;
/** How often something is done to a process. */
const EVERY = 1_200;

describe.each(databases())(
  `${PROCESSES} processes for one lock on $name, killed and stopped at any moment`,
  (database) => {
    let ledger: LedgerFixture;
    let kills = 0;
    let stops = 0;
    beforeAll(async () => {
      ledger = await LedgerFixture.create(database, { atMost: AT_MOST, work: WORK });
      for (let n = 0; n < PROCESSES; n++) ledger.launch();
      await waitUntil(async () => (await ledger.entries()).length > 0, {
        timeout: 30_000,
        describe: 'the first write',
      });
      await harass();
    }, DURATION + 120_000);
    afterAll(() => ledger.close());

    const all = () => ledger.processes;

    /** Mostly the holder: a stop of those who wait does no harm. */
    function victim(): LockHolderProcess | undefined {
      const running = all().filter(({ isRunning }) => isRunning);
      const newest = Math.max(...running.flatMap(({ fences }) => fences));
      const holder = running.find(({ fences }) => fences.at(-1) === newest);
      return Math.random() < 0.7 ? holder : running[Math.floor(Math.random() * running.length)];
    }

    async function harass(): Promise<void> {
      const thaws: Promise<void>[] = [];
      for (const until = performance.now() + DURATION; performance.now() < until;) {
        await pause(EVERY * (0.5 + Math.random()));
        const holder = victim();
        if (holder === undefined) continue;
        if (Math.random() < 0.3) {
          kills++;
          await holder.kill();
          ledger.launch();
        } else {
          stops++;
          holder.freeze();
          thaws.push(pause(AT_MOST * (1.1 + Math.random())).then(() => holder.thaw()));
        }
      }
      await Promise.all(thaws);
      // What they find out now is told too.
      await pause(AT_MOST);
    }

    it('has an order of fences: nobody has written after a newer holder', async () => {
      const entries = await ledger.entries();
      const told = (key: 'refused' | 'lost' | 'stoodStill') =>
        all().reduce((sum, holder) => sum + holder.told(key).length, 0);
      const fences = new Set(entries.map(({ fence }) => fence));
      console.info(
        `${database.name}: ${entries.length} writes under ${fences.size} fences; ${stops} stops, ${kills} kills; ` +
          `${told('lost')} locks lost, ${told('stoodStill')} found so right after a stop; ${told('refused')} writes refused`,
      );
      expect(fences.size).toBeGreaterThan(DURATION / 4_000);
      expect(entries.filter(({ fence }, at) => fence < (entries[at - 1]?.fence ?? 0))).toEqual([]);
    });

    it('has one holder for each fence', async () => {
      const holders = new Map<number, number>();
      for (const { fence, pid } of await ledger.entries())
        expect(holders.set(fence, holders.get(fence) ?? pid).get(fence)).toBe(pid);
      const held = all().flatMap(({ fences }) => fences);
      expect(new Set(held).size).toBe(held.length);
    });

    it('had older fences refused, and every refused holder knew by then', () => {
      const refused = all().flatMap((holder) => holder.told('refused'));
      expect(refused.length).toBeGreaterThan(0);
      expect(refused.filter(({ aborted }) => !aborted)).toEqual([]);
    });

    it('was told of the loss in time where no process had been stopped', () => {
      const unstopped = all().filter(({ wasFrozen }) => !wasFrozen);
      expect(unstopped.flatMap((holder) => holder.told('refused'))).toEqual([]);
    });

    it('was told of it by the first look after each stop', () => {
      const stood = all().flatMap((holder) => holder.told('stoodStill'));
      expect(stood.length).toBeGreaterThan(0);
      expect(stood.filter(({ aborted }) => !aborted)).toEqual([]);
    });

    it('ended no process, and no call failed', () => {
      expect(ledger.failures).toEqual([]);
    });
  },
);
