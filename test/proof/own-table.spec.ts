import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { OwnTablePayload } from '../processes/own-table-jobs.js';
import { databases } from '../support/databases.js';
import { OwnTableFixture, type Begun, type Entry, type OwnRow } from '../support/own-table-fixture.js';
import { waitUntil } from '../support/wait-until.js';

const PROCESSES = 3;
const AT_MOST = 3_000;
/** What is promised beyond atMost. */
const FAILOVER = AT_MOST + 5_000;
const WAVE = 40;
const EVERY = 200;
/** Before something is done to a leader, and after. */
const ENDS = 300;
/** Of the worker: rows that have begun and whose end is not written, in one process. */
const MOST_UNDER_WAY = 2 * 20;
const KINDS: readonly OwnTablePayload['kind'][] = ['bad', 'flaky', 'again', 'good', 'good', 'good', 'good'];
const STARTS: Readonly<Partial<Record<OwnTablePayload['kind'], number>>> = { flaky: 2, again: 2 };

describe.each(databases())(
  `rows of async_job_tab on $name: ${PROCESSES} processes, one stopped, one killed`,
  (database) => {
    let table: OwnTableFixture;
    const over = new AbortController();
    let frozen: Entry;
    let killed: Entry;
    let rows: OwnRow[];
    let begun: Begun[];
    let entries: Entry[];
    const failovers: number[] = [];

    beforeAll(async () => {
      table = await OwnTableFixture.create(database, AT_MOST);
      await Promise.all(Array.from({ length: PROCESSES }, () => table.service.startWorker()));
      const inserting = insertWaves();
      try {
        await harass();
      } finally {
        over.abort();
        await inserting;
      }
      await waitUntil(() => table.isDone(), { timeout: 60_000, describe: 'every row to end' });
      [rows, begun, entries] = [await table.rows(), await table.begun(), await table.entries()];
    }, 180_000);
    afterAll(() => table.close());

    async function insertWaves(): Promise<void> {
      for (let wave = 0; !over.signal.aborted; wave++) {
        const batch = Array.from({ length: WAVE }, (_, at) => {
          const n = wave * WAVE + at;
          const payload = { kind: KINDS[n % KINDS.length] ?? 'good', ms: 5 + (n % 25) };
          return n % 4 === 0 ? { payload, delay: 1 + (n % 6) } : { payload };
        });
        await table.insert(batch);
        await pause(EVERY);
      }
    }

    async function harass(): Promise<void> {
      frozen = await table.hasLed(0, ENDS);
      const first = table.worker(frozen.pid);
      await table.freeze(first);
      const stopped = Date.now();
      killed = await table.hasLed(frozen.fence, ENDS);
      failovers.push(killed.at - stopped);
      await table.worker(killed.pid).kill();
      const died = Date.now();
      const third = await table.hasLed(killed.fence, ENDS);
      failovers.push(third.at - died);
      first.thaw();
      await waitUntil(() => first.named('operation.lost').length > 0, { describe: 'the stopped process to know' });
      await table.hasLed(killed.fence, 3 * ENDS);
      await table.worker(third.pid).stop();
      // The one that had been stopped is the only one left.
      const last = await table.hasLed(third.fence, ENDS);
      expect(last.pid).toBe(frozen.pid);
    }

    const updates = () => entries.filter(({ what }) => what === 'ended');

    it('all end as they should, and each is written once', () => {
      const wrong = rows.filter(({ payload, status }) => status !== (payload.kind === 'bad' ? 2 : 1));
      expect(wrong).toEqual([]);
      expect(
        updates()
          .map(({ id }) => id)
          .toSorted((a, b) => a - b),
      ).toEqual(rows.map(({ id }) => id));
      expect(rows.length).toBeGreaterThan(2_000);
    });

    it('start no sooner than they are due, by the clock of the database', () => {
      const dueOf = new Map(rows.map(({ id, start }) => [id, start * 1_000]));
      expect(begun.filter(({ id, at }) => at < Number(dueOf.get(id)))).toEqual([]);
    });

    it('are written under the lock only: fences never go down, and every writer has the newest', () => {
      expect(entries.filter(({ fence }, at) => fence < (entries[at - 1]?.fence ?? 0))).toEqual([]);
      expect(updates().filter(({ fence, claimed }) => fence !== claimed)).toEqual([]);
    });

    it('are written by the process that ran them, under the fence under which they started', () => {
      const starts = new Set(begun.map(({ id, fence, pid }) => `${id} ${fence} ${pid}`));
      expect(updates().filter(({ id, fence, pid }) => !starts.has(`${id} ${fence} ${pid}`))).toEqual([]);
    });

    it('have another leader in time', () => {
      console.info(
        `${database.name}: ${rows.length} rows, ${begun.length} starts; the next leader after ${failovers[0]} ms (stopped) ` +
          `and ${failovers[1]} ms (killed); ${runTwice().length} starts more than needed`,
      );
      for (const failover of failovers) expect(failover).toBeLessThan(FAILOVER);
    });

    /** Starts that were of no use: what they did was done again. */
    function runTwice(): Begun[] {
      const useful = new Map(rows.map(({ id, payload }) => [id, STARTS[payload.kind] ?? 1]));
      return begun.filter(({ id }) => {
        const left = Number(useful.get(id));
        useful.set(id, left - 1);
        return left <= 0;
      });
    }

    it('run once more only where their process was stopped or killed, and only those that were under way there', () => {
      const again = runTwice();
      const lost = new Set(
        begun.filter(({ fence }) => fence === frozen.fence || fence === killed.fence).map(({ id }) => id),
      );
      expect(again.filter(({ id }) => !lost.has(id))).toEqual([]);
      expect(again.length).toBeLessThanOrEqual(2 * MOST_UNDER_WAY);
    });

    it('run on in a process that was stopped past its lock', () => {
      const worker = table.worker(frozen.pid);
      expect(worker.isRunning).toBe(true);
      expect(worker.named('operation.lost')).toHaveLength(1);
      expect(worker.named('operation.led').length).toBeGreaterThan(0);
    });
  },
);
