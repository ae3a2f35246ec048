import { expect } from '@jest/globals';
import { KeyTakenError } from '../../lib/errors/key-taken.error.js';
import type { Job } from '../../lib/job/job.js';
import { retry, success, type QueueFixture } from '../support/queue-fixture.js';

/** One section of the page on one database, with the tables of service `shop` and an empty table `purchase`. */
export interface RunningSection {
  readonly fixture: QueueFixture;
  /** Runs one of the section's fences for this database, counted from 0, and answers the rows it prints. */
  readonly run: (fence: number) => Promise<string[]>;
}

const TYPE = 'order.notify';
const PAYLOAD = { orderId: 1 };
const DAY = 86_400_000;

/** What the fences below each heading are said to do. */
export const EFFECTS: Record<string, (section: RunningSection) => Promise<void>> = {
  'A job': async ({ fixture, run }) => {
    const node = await fixture.registerNode();
    await run(0);
    expect(await fixture.claimOne(node, TYPE)).toMatchObject({ payload: '{"orderId":1}', fence: 1, retries: 0 });

    await run(1);
    const claimed = await fixture.claimOne(node, TYPE, { priority: 5 });
    const own = { maxRetries: 1, retention: { succeeded: 0, failed: DAY } };
    const named = { key: 'notify-1', reference: 'A-1', traceId: 'trace-1' };
    expect(claimed).toMatchObject({ ...named, ...own, deadline: 4_102_444_800_000 });
    await fixture.repository.settle([success(claimed)], node);
    // The key was taken only until the job ended.
    expect((await fixture.queue.enqueue(TYPE, null, { key: 'notify-1' })).created).toBe(true);

    await run(2);
    expect(await fixture.sql('SELECT id, total FROM purchase')).toEqual([{ id: 1, total: 1_990 }]);
    expect((await jobsOf(fixture)).slice(0, 2)).toMatchObject([
      { type: 'order.invoice', payload: PAYLOAD },
      { type: TYPE, payload: PAYLOAD },
    ]);
  },

  Later: async ({ fixture, run }) => {
    await run(0);
    const [soon] = await jobsOf(fixture);
    expect(soon).toMatchObject({ state: 'scheduled', payload: PAYLOAD });
    expect(Number(soon?.dueAt) - Number(soon?.createdAt)).toBe(600_000);
    expectNow(soon?.createdAt);
    expect(await fixture.repository.promote(10)).toBe(0);

    await run(1);
    const [far] = await jobsOf(fixture);
    expect(far).toMatchObject({ state: 'scheduled', dueAt: new Date('2100-01-01T08:00:00Z') });

    await fixture.sql('UPDATE pq_job SET due = 1');
    expect(await fixture.repository.promote(10)).toBe(2);
    expect(await fixture.claim(await fixture.registerNode(), TYPE)).toHaveLength(2);
  },

  'A key': async ({ fixture, run }) => {
    await run(0);
    await run(0);
    const [job, ...others] = await jobsOf(fixture);
    expect(others).toEqual([]);
    expect(job).toMatchObject({ key: 'notify-1', state: 'waiting', fence: 0, payload: PAYLOAD });
    expect(await fixture.queue.enqueue(TYPE, null, { key: 'notify-1' })).toEqual({ id: job?.id, created: false });
    expect(fieldsOf(await run(1))).toEqual([[job?.id, 'waiting']]);
  },

  'From a trigger': async ({ fixture, run }) => {
    await run(0);
    await run(1);
    expect(await fixture.sql('SELECT id FROM purchase')).toEqual([{ id: 1 }]);
    expect(await jobsOf(fixture)).toMatchObject([
      { id: '1', type: TYPE, payload: { orderId: 1, total: 1_990 }, reference: '1' },
    ]);
    await fixture.claimOne(await fixture.registerNode(), TYPE);
  },

  Reading: async ({ fixture, run }) => {
    const { id } = await fixture.queue.enqueue(TYPE, PAYLOAD);
    const node = await fixture.registerNode();
    const claimed = await fixture.claimOne(node, TYPE);
    await fixture.repository.settle([success(claimed, { result: '{"sent":true}' })], 'host:1#1');
    await fixture.queue.enqueueMany(TYPE, [{ payload: 2 }, { payload: 3 }]);

    const job = await fixture.queue.get(id);
    const [attempt] = await fixture.queue.history(id);
    const times = [job?.dueAt, job?.finishedAt].map((time) => String(Number(time)));
    expect(withoutNulls(await run(0))).toEqual([['succeeded', '{"sent":true}', '0', ...times]]);
    expect(withoutNulls(await run(1))).toEqual([
      ['1', 'host:1#1', ...[attempt?.startedAt, attempt?.endedAt].map((time) => String(Number(time))), 'succeeded'],
    ]);
    expect(fieldsOf(await run(2))).toEqual([
      ['succeeded', TYPE, '1'],
      ['waiting', TYPE, '2'],
    ]);
  },

  Pausing: async ({ fixture, run }) => {
    const paused = async () => (await fixture.repository.survey({ types: [TYPE], sweep: false })).paused;
    await run(0);
    await run(0);
    expect(await paused()).toEqual([TYPE]);
    await run(1);
    expect(await paused()).toEqual([]);
  },

  Cancelling: async ({ fixture, run }) => {
    const { id } = await fixture.queue.enqueue(TYPE, PAYLOAD, { key: 'k', keyScope: 'open' });
    const running = await fixture.claimOne(await fixture.registerNode(), TYPE);
    await run(0);
    // It is still the claim's: its end is written down.
    expect(await fixture.repository.settle([retry(running, DAY)], 'host:1#1')).toEqual([]);
    expect(await fixture.queue.get(id)).toMatchObject({ state: 'scheduled', fence: 1 });

    await run(0);
    const job = await fixture.queue.get(id);
    expect(job).toMatchObject({ state: 'cancelled', fence: 2, key: 'k' });
    expectNow(job?.finishedAt);
    const [row] = await fixture.sql<{ keep: string }>('SELECT expires_at - finished_at AS keep FROM pq_job');
    expect(Number(row?.keep)).toBe(30 * DAY);
    expect((await fixture.queue.enqueue(TYPE, PAYLOAD, { key: 'k' })).created).toBe(true);
    await expect(fixture.queue.retry(id)).rejects.toThrow(KeyTakenError);
  },

  Retrying: async ({ fixture, run }) => {
    const { id } = await fixture.queue.enqueue(TYPE, PAYLOAD, { key: 'k', keyScope: 'open', deadline: new Date(1) });
    await fixture.queue.cancel(id);
    const rival = await fixture.queue.enqueue(TYPE, PAYLOAD, { key: 'k', keyScope: 'open' });
    await expect(run(0)).rejects.toThrow(/duplicate|unique/i);
    expect(await fixture.queue.get(id)).toMatchObject({ state: 'cancelled', key: 'k' });

    await fixture.queue.cancel(rival.id);
    await run(0);
    const job = await fixture.queue.get(id);
    const anew = { state: 'waiting', fence: 1, retries: 0, deadline: undefined, finishedAt: undefined };
    expect(job).toMatchObject(anew);
    expectNow(job?.dueAt);
    expect((await fixture.queue.enqueue(TYPE, PAYLOAD, { key: 'k' })).id).toBe(id);
    await fixture.claimOne(await fixture.registerNode(), TYPE);
  },
};

/** The newest first. */
async function jobsOf({ queue }: QueueFixture): Promise<Job[]> {
  return [...(await queue.find({})).jobs];
}

/** The servers of the tests have the clock of this machine; their sessions are in another zone. */
function expectNow(time: Date | undefined): void {
  expect(Math.abs(Number(time) - Date.now())).toBeLessThan(60_000);
}

/** `mariadb` parts them by tabs, the others by bars. */
function fieldsOf(rows: readonly string[]): string[][] {
  return rows.map((row) => row.split(/[\t|]/));
}

/** `mariadb` prints NULL, the others nothing. */
function withoutNulls(rows: readonly string[]): string[][] {
  return fieldsOf(rows).map((fields) => fields.filter((field) => field !== '' && field !== 'NULL'));
}
