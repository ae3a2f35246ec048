import { afterEach, describe, expect, it } from '@jest/globals';
import { JobNotFoundError } from '../../lib/errors/job-not-found.error.js';
import { TransactionUnusableError } from '../../lib/errors/transaction-unusable.error.js';
import type { JobManager } from '../../lib/repository/job-repository.js';
import { callersOf, type Caller, type OpenCaller } from '../support/callers.js';
import { delivery, type QueueFixture } from '../support/queue-fixture.js';
import { waitUntil } from '../support/wait-until.js';
import type { ContractContext } from './contract-context.js';

const TEXT = 'ä€😀﷽ \\"\'?$1 :name';

/** What holds for a transaction of the caller, whichever library it is open in. */
export function callersContract(context: ContractContext): void {
  // Other libraries cannot share TypeORM's one connection.
  if (context.database.name === 'sqlite') return;

  describe.each(callersOf(context.database.name))('%s as the manager', (_, openCaller) => {
    const callers: Caller[] = [];
    afterEach(async () => {
      for (const caller of callers.splice(0)) await caller.close();
      await context.dataSource.query('DELETE FROM purchase');
    });

    async function open(): Promise<QueueFixture & { caller: Caller }> {
      const caller = await openOn(context, openCaller);
      callers.push(caller);
      return Object.assign(await context.open(), { caller });
    }

    it('commits the job together with its own rows, seen by nobody before', async () => {
      const { queue, caller, sql, wakeSignal } = await open();
      let wakes = 0;
      wakeSignal.subscribe(() => wakes++);
      const transaction = await caller.begin();
      await transaction.sql('INSERT INTO purchase (id) VALUES (201)');
      const { id, created } = await queue.enqueue('t', { text: TEXT }, { manager: transaction.manager, key: TEXT });
      expect(created).toBe(true);
      expect(await queue.get(id)).toBeUndefined();
      await transaction.commit();
      expect(await queue.get(id)).toMatchObject({ state: 'waiting', payload: { text: TEXT }, key: TEXT });
      expect(await sql('SELECT id FROM purchase WHERE id = 201')).toHaveLength(1);
      await waitUntil(() => wakes > 0, { describe: 'a wake-up' });
    });

    it('leaves neither job nor row after a rollback', async () => {
      const { queue, caller, sql } = await open();
      const transaction = await caller.begin();
      await transaction.sql('INSERT INTO purchase (id) VALUES (202)');
      await queue.enqueue('t', null, { manager: transaction.manager });
      await transaction.rollback();
      expect(await queue.counts()).toEqual([]);
      expect(await sql('SELECT id FROM purchase WHERE id = 202')).toHaveLength(0);
    });

    it('ends a delivered job together with its own rows, and not without them', async () => {
      const fixture = await open();
      const { queue, caller, repository } = fixture;
      const { id } = await queue.enqueue('t', null);
      const manual = { ackTimeout: 60_000, retention: { succeeded: 0, failed: 0 } };
      const claimed = await fixture.claimOne(await fixture.registerNode(), 't', { manual });
      await repository.settle([delivery(claimed, 60_000)], 'host:1#1');
      for (const [verb, accepted] of Object.entries({ rollback: true, commit: true, nothing: false })) {
        const transaction = await caller.begin();
        const { manager } = transaction;
        const told = queue.finish(id, { manager, result: { text: TEXT }, delivery: claimed.fence });
        if (verb === 'nothing') await expect(told).rejects.toThrow(JobNotFoundError);
        else expect(await told).toEqual({ accepted, state: 'succeeded', reason: undefined });
        await (verb === 'rollback' ? transaction.rollback() : transaction.commit());
        expect((await queue.get(id))?.state).toBe(verb === 'rollback' ? 'running' : undefined);
      }
      expect(await queue.history(id)).toMatchObject([{ outcome: 'succeeded' }]);
    });

    it('is told the first job of a taken key, and stays usable', async () => {
      const { queue, caller, sql } = await open();
      const first = await queue.enqueue('pay', null, { key: 'k' });
      const transaction = await caller.begin();
      const { manager } = transaction;
      expect(await queue.enqueue('pay', null, { key: 'k', manager })).toEqual({ id: first.id, created: false });
      const same = await queue.enqueue('pay', null, { key: 'k', onConflict: 'error', manager });
      expect(same).toEqual({ id: first.id, created: false });
      const second = await queue.enqueue('pay', null, { key: 'other', manager });
      const again = await queue.enqueue('pay', null, { key: 'other', manager });
      expect([second.created, again]).toEqual([true, { id: second.id, created: false }]);
      const enqueued = `SELECT id FROM pq_job WHERE id = ${second.id}`;
      await transaction.sql('INSERT INTO purchase (id) VALUES (203)');
      await transaction.commit();
      expect(await sql(enqueued)).toHaveLength(1);
    });

    it('is answered the ids of 1,000 jobs in their order', async () => {
      const { queue, caller } = await open();
      const transaction = await caller.begin();
      const jobs = Array.from({ length: 1_000 }, (_item, n) => ({
        payload: { n },
        ...(n % 250 === 7 ? { key: `${n}` } : {}),
      }));
      const enqueued = await queue.enqueueMany('bulk', jobs, { manager: transaction.manager });
      await transaction.commit();
      expect(new Set(enqueued.map(({ id }) => id)).size).toBe(1_000);
      for (const n of [0, 6, 7, 8, 257, 498, 499, 500, 501, 998, 999]) {
        expect((await queue.get(enqueued[n]?.id ?? ''))?.payload).toEqual({ n });
      }
    });

    it('may enqueue for later, and several at once', async () => {
      const { queue, caller } = await open();
      const transaction = await caller.begin();
      const { manager } = transaction;
      const later = await queue.enqueueAt('later', 1, new Date(Date.now() + 3_600_000), { manager });
      const enqueued = await Promise.all(
        Array.from({ length: 10 }, (_item, n) =>
          queue.enqueue('now', n, { manager, ...(n % 2 ? { key: `${n}` } : {}) }),
        ),
      );
      await transaction.commit();
      expect((await queue.get(later.id))?.state).toBe('scheduled');
      const payloads = await Promise.all(enqueued.map(async ({ id }) => (await queue.get(id))?.payload));
      expect(payloads).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });

    if (context.database.name === 'postgres') postgresCases(open);
    else mysqlCases(context, open);
  });

  if (['mariadb', 'mysql'].includes(context.database.name)) {
    it('a transaction of TypeORM is rolled back as a whole by a deadlock among enqueues made at once', async () => {
      const fixture = await context.open();
      const runner = context.dataSource.createQueryRunner();
      await runner.startTransaction();
      const begin = async () => ({ manager: runner, sql: (text: string) => runner.query(text) });
      const outcomes = await deadlock(context, fixture, begin, 410, [null, null]);
      await runner.commitTransaction();
      await runner.release();
      expect(outcomes).toEqual([
        expect.objectContaining({ errno: 1213 }),
        expect.any(TransactionUnusableError),
        expect.any(TransactionUnusableError),
      ]);
      expect(await fixture.queue.counts()).toEqual([]);
    });
  }
}

function openOn(context: ContractContext, open: OpenCaller): Promise<Caller> {
  return open(Reflect.get(context.schema.options, 'url'));
}

function postgresCases(open: () => Promise<QueueFixture & { caller: Caller }>): void {
  it('gets the error of the database as it is, and no job after it', async () => {
    const { queue, caller } = await open();
    const transaction = await caller.begin();
    const { manager } = transaction;
    await transaction.sql('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await transaction.sql('SELECT 1 FROM pq_job');
    const first = await queue.enqueue('late', null, { key: 'k' });
    await expect(queue.enqueue('late', null, { key: 'k', manager })).rejects.toMatchObject({ code: '40001' });
    await expect(queue.enqueue('late', null, { manager })).rejects.toMatchObject({ code: '25P02' });
    await transaction.rollback();
    const again = await caller.begin();
    const second = await queue.enqueue('late', null, { key: 'k', manager: again.manager });
    await again.commit();
    expect(second).toEqual({ id: first.id, created: false });
  });
}

function mysqlCases(context: ContractContext, open: () => Promise<QueueFixture & { caller: Caller }>): void {
  it('is told the first job of a key that was taken after its snapshot', async () => {
    const { queue, caller } = await open();
    const transaction = await caller.begin();
    await transaction.sql('SELECT COUNT(*) FROM pq_job');
    const first = await queue.enqueue('late', null, { key: 'k' });
    const second = await queue.enqueue('late', null, { key: 'k', manager: transaction.manager });
    await transaction.commit();
    expect(second).toEqual({ id: first.id, created: false });
  });

  it('gets a deadlock as it is, and may enqueue again only in a new transaction', async () => {
    const fixture = await open();
    const { queue, caller } = fixture;
    const transaction = await caller.begin();
    const begin = async () => transaction;
    const outcomes = await deadlock(context, fixture, begin, 420, [null]);
    expect(outcomes).toEqual([expect.objectContaining({ errno: 1213 }), expect.any(TransactionUnusableError)]);
    const { manager } = transaction;
    await expect(queue.enqueue('rest', null, { manager })).rejects.toThrow(/begin again/);
    expect(await queue.counts()).toEqual([]);
    await transaction.rollback();
    const again = await caller.begin();
    await queue.enqueue('again', null, { manager: again.manager });
    await again.commit();
    expect(await queue.counts()).toEqual([{ type: 'again', state: 'waiting', count: 1 }]);
  });
}

interface Deadlocked {
  manager: JobManager;
  readonly sql: (text: string) => Promise<unknown>;
}

/** Enqueues in `begin`'s transaction until that loses a deadlock, and `after` it at once: answers their values and errors. */
async function deadlock(
  context: ContractContext,
  { queue }: QueueFixture,
  begin: () => Promise<Deadlocked>,
  row: number,
  after: unknown[],
): Promise<unknown[]> {
  const winner = context.dataSource.createQueryRunner();
  try {
    await winner.startTransaction();
    // The database gives up the transaction that has written less.
    const rows = Array.from({ length: 500 }, (_, n) => `(${100_000 + n})`);
    await winner.query(`INSERT INTO purchase (id) VALUES ${rows.join(', ')}`);
    await queue.enqueue('pay', null, { key: 'deadlock', manager: winner });
    const { manager, sql } = await begin();
    await sql(`INSERT INTO purchase (id) VALUES (${row})`);
    const enqueuing = Promise.allSettled([
      queue.enqueue('pay', null, { key: 'deadlock', manager }),
      ...after.map((payload) => queue.enqueue('rest', payload, { manager })),
    ]);
    await winner.query(`INSERT INTO purchase (id) VALUES (${row})`);
    return (await enqueuing).map((outcome) => (outcome.status === 'rejected' ? outcome.reason : outcome.value));
  } finally {
    await winner.rollbackTransaction();
    await winner.release();
  }
}
