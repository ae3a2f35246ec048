import { describe, expect, it } from '@jest/globals';
import { releaseOf, type Settlement } from '../../lib/job/settlement.js';
import type { KnownRow, RowSettlement } from '../../lib/repository/operation-repository.js';
import type { QueueFixture } from '../support/queue-fixture.js';
import type { ContractContext } from './contract-context.js';

const TYPE = 'parcels';
const NODE = 'host:1';

/** What the holder of an operation's lock keeps of the application's rows. */
export function operationRowsContract(context: ContractContext): void {
  const start = ({ queue, operations }: QueueFixture, fence: number, ...ids: string[]) =>
    queue.transaction((manager) => operations.start(manager, TYPE, fence, ids));
  const settle = ({ queue, operations }: QueueFixture, ...settlements: RowSettlement[]) =>
    queue.transaction((manager) => operations.settle(manager, TYPE, settlements, NODE));
  const takeOver = async ({ queue, operations }: QueueFixture) => {
    const { rows } = await queue.transaction((manager) => operations.takeOver(manager, TYPE));
    return rows.toSorted((a, b) => a.id.localeCompare(b.id));
  };
  const outcomes = async ({ operations }: QueueFixture, id: string) =>
    (await operations.history(TYPE, id)).map(({ outcome, attempt, fence }) => `${outcome} ${attempt} ${fence}`);

  describe('rows of an operation', () => {
    it('that have begun are known to the next holder, and are in the history as crashed, once', async () => {
      const fixture = await context.open();
      const now = await start(fixture, 1, 'a', 'b');
      expect(Math.abs(now - Date.now())).toBeLessThan(5_000);
      const known = [knows('a', { suspect: true }), knows('b', { suspect: true })];
      expect(await takeOver(fixture)).toEqual(known);
      expect(await takeOver(fixture)).toEqual(known);
      expect(await outcomes(fixture, 'a')).toEqual(['crashed 1 1']);
      const [attempt] = await fixture.operations.history(TYPE, 'a');
      expect(attempt).toMatchObject({ reason: 'crash', error: { name: 'CrashError' }, startedAt: expect.any(Date) });
    });

    it('have crashes counted from the second one on', async () => {
      const fixture = await context.open();
      const crashes: number[] = [];
      for (const fence of [1, 2, 3]) {
        await start(fixture, fence, 'a');
        crashes.push(Number((await takeOver(fixture))[0]?.crashes));
      }
      expect(crashes).toEqual([0, 1, 2]);
      expect(await outcomes(fixture, 'a')).toEqual(['crashed 1 1', 'crashed 1 2', 'crashed 1 3']);
    });

    it('that will run again are known with their retries and their time', async () => {
      const fixture = await context.open();
      await start(fixture, 1, 'a', 'b');
      await settle(fixture, retried('a', { delay: 60_000 }), released('b'));
      const [a, b] = await takeOver(fixture);
      expect(a).toMatchObject({ id: 'a', retries: 1, crashes: 0, suspect: false });
      expect(Math.abs(Number(a?.dueIn) - 60_000)).toBeLessThan(5_000);
      expect(b).toMatchObject({ id: 'b', retries: 0 });
      expect(b?.dueIn).toBeLessThanOrEqual(0);
      expect(await outcomes(fixture, 'a')).toEqual(['retried 1 1']);
    });

    it('that have ended are forgotten, but for their history', async () => {
      const fixture = await context.open();
      await start(fixture, 1, 'a', "o'b😀");
      await settle(fixture, ended('a'), ended("o'b😀"));
      expect(await takeOver(fixture)).toEqual([]);
      expect(await outcomes(fixture, "o'b😀")).toEqual(['succeeded 1 1']);
    });

    it('are settled twice as if it were once', async () => {
      const fixture = await context.open();
      await start(fixture, 1, 'a', 'b');
      const settlements = [retried('a', { delay: 60_000 }), ended('b')];
      await settle(fixture, ...settlements);
      await settle(fixture, ...settlements);
      expect(await takeOver(fixture)).toMatchObject([{ id: 'a', retries: 1 }]);
      expect(await outcomes(fixture, 'a')).toEqual(['retried 1 1']);
      expect(await outcomes(fixture, 'b')).toEqual(['succeeded 1 1']);
    });

    it('that have begun under a newer fence are not touched by what an older holder settles', async () => {
      const fixture = await context.open();
      await start(fixture, 1, 'a', 'b');
      await takeOver(fixture);
      await start(fixture, 2, 'a', 'b');
      await settle(fixture, retried('a', { delay: 60_000 }), ended('b'));
      const rows = await fixture.sql(
        'SELECT row_id, fence, retries, due, started_at FROM pq_operation_row WHERE service = ? ORDER BY row_id',
        [fixture.service],
      );
      expect(
        rows.map((row) => [row['row_id'], Number(row['fence']), Number(row['retries']), Number(row['due'])]),
      ).toEqual([
        ['a', 2, 0, 0],
        ['b', 2, 0, 0],
      ]);
      expect(rows.every((row) => Number(row['started_at']) > 0)).toBe(true);
    });

    it('belong to their operation and their service', async () => {
      const fixture = await context.open();
      const other = await context.open();
      await start(fixture, 1, 'a');
      await other.queue.transaction((manager) => other.operations.start(manager, TYPE, 1, ['a']));
      await fixture.queue.transaction((manager) => fixture.operations.start(manager, 'letters', 1, ['a', 'A']));
      await settle(fixture, ended('a'));
      expect(await takeOver(fixture)).toEqual([]);
      expect(await takeOver(other)).toHaveLength(1);
      const { rows } = await fixture.queue.transaction((manager) => fixture.operations.takeOver(manager, 'letters'));
      expect(rows.map(({ id }) => id).toSorted()).toEqual(['A', 'a']);
    });
  });
}

function knows(id: string, known: Partial<KnownRow> = {}): KnownRow {
  return { id, retries: 0, crashes: 0, suspect: false, dueIn: expect.any(Number) as unknown as number, ...known };
}

function released(id: string): RowSettlement {
  return { turn: 1, settlement: releaseOf({ id, type: TYPE, fence: 1 }) };
}

function ended(id: string): RowSettlement {
  return attempted(id, { state: 'succeeded' }, 'succeeded');
}

function retried(id: string, overrides: Partial<Settlement>): RowSettlement {
  return attempted(id, { state: 'scheduled', usesRetry: true, ...overrides }, 'retried');
}

function attempted(id: string, overrides: Partial<Settlement>, outcome: 'succeeded' | 'retried'): RowSettlement {
  const now = performance.now();
  const attempt = { attempt: 1, startedAt: now, endedAt: now, outcome, reason: undefined, error: undefined };
  const { settlement } = released(id);
  return { turn: 1, settlement: { ...settlement, attempt, ...overrides } };
}
