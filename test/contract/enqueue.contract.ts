import { describe, expect, it } from '@jest/globals';
import { buildJob } from '../../lib/queue/build-job.js';
import { InvalidJobError } from '../../lib/errors/invalid-job.error.js';
import type { ContractContext } from './contract-context.js';

export function enqueueContract(context: ContractContext): void {
  describe('enqueue', () => {
    it('answers an id under which the job is found as it was given', async () => {
      const { queue } = await context.open();
      const payload = { orderId: 7, tags: ['a', null], nested: { ok: true } };
      const { id, created } = await queue.enqueue('order.notify', payload, {
        key: 'k',
        priority: 4,
        reference: 'A-7',
        traceId: 'trace',
      });
      expect(created).toBe(true);
      expect(await queue.get(id)).toMatchObject({
        id,
        type: 'order.notify',
        state: 'waiting',
        payload,
        priority: 4,
        key: 'k',
        reference: 'A-7',
        traceId: 'trace',
        retries: 0,
        fence: 0,
      });
    });

    it('answers many in their order, keyed and unkeyed mixed', async () => {
      const { queue } = await context.open();
      const jobs = Array.from({ length: 1_203 }, (_, n) => ({
        payload: { n },
        ...(n % 100 === 7 ? { key: `k${n % 200}` } : {}),
      }));
      const enqueued = await queue.enqueueMany('bulk', jobs);
      expect(enqueued).toHaveLength(1_203);
      for (const n of [0, 6, 8, 499, 500, 501, 1_202]) {
        expect((await queue.get<{ n: number }>(enqueued[n]?.id ?? ''))?.payload.n).toBe(n);
      }
      expect(enqueued[207]).toEqual({ id: enqueued[7]?.id, created: false });
      expect(enqueued.filter(({ created }) => created)).toHaveLength(new Set(enqueued.map(({ id }) => id)).size);
      // Twelve with one of two keys; without one, each is a job of its own.
      expect(enqueued.filter(({ created }) => !created)).toHaveLength(10);
    });

    it('answers more than one statement can carry in their order, all or none', async () => {
      const { queue, repository } = await context.open();
      const jobs = Array.from({ length: 2_001 }, (_, n) => ({ payload: { n }, delay: n % 2 === 0 ? 0 : 60_000 }));
      const enqueued = await queue.enqueueMany('bulk', jobs);
      for (const n of [0, 999, 1_000, 1_001, 1_999, 2_000]) {
        const state = n % 2 === 0 ? 'waiting' : 'scheduled';
        expect(await queue.get(enqueued[n]?.id ?? '')).toMatchObject({ payload: { n }, state });
      }
      const bad = jobs.map(({ payload }, n) => ({
        ...buildJob('bad', { payload }, 1_000),
        priority: n === 2_000 ? 99 : 0,
      }));
      // The driver's error may be of another realm, where Jest does not know it as one.
      const [answer] = await Promise.allSettled([repository.insert(bad)]);
      expect(answer.status).toBe('rejected');
      expect((await queue.find({ type: 'bad' })).jobs).toEqual([]);
    });

    it('carries 1 MiB of payload and every kind of character', async () => {
      const { queue } = await context.open();
      const text = 'ä€😀\u0000\u2028\\"\'%_?$1 ﷽ \ud83d';
      const payload = { text, filler: 'x'.repeat(1_048_576 - Buffer.byteLength(JSON.stringify({ text, filler: '' }))) };
      const { id } = await queue.enqueue('big', payload);
      expect((await queue.get(id))?.payload).toEqual(payload);
    });

    it('keeps names apart that differ in one byte', async () => {
      const { queue, repository } = await context.open();
      const names = ['A', 'a', 'a ', '\u00e1', 'a\u0301'];
      const ids = [];
      for (const name of names) ids.push((await queue.enqueue(name, null, { key: name })).id);
      for (const name of names) expect((await queue.enqueue('same type', null, { key: name })).created).toBe(true);
      expect(new Set(ids).size).toBe(names.length);
      const survey = await repository.survey({ types: names, sweep: false });
      expect(survey.ready.map(({ type }) => type).sort()).toEqual([...names].sort());
      const node = await repository.registerNode({ name: 'n', concurrency: 1, types: [] });
      const { jobs: claimed } = await repository.claim({
        node,
        type: 'a',
        priority: 0,
        limit: 10,
        deadline: undefined,
        maxCrashes: 3,
      });
      expect(claimed.map(({ id }) => id)).toEqual([ids[1]]);
    });

    it('writes nothing when any job of many is refused', async () => {
      const { queue } = await context.open();
      await expect(queue.enqueueMany('t', [{ payload: 1 }, { payload: 2, priority: 10 }])).rejects.toThrow(
        InvalidJobError,
      );
      expect(await queue.counts()).toEqual([]);
    });

    context.itWithSql('takes plain SQL with service, type and payload as a producer', async () => {
      const fixture = await context.open();
      await fixture.sql('INSERT INTO pq_job (service, type, payload) VALUES (?, ?, ?)', [
        fixture.service,
        'sql.made',
        '{"orderId":1}',
      ]);
      const node = await fixture.registerNode();
      const job = await fixture.claimOne(node, 'sql.made');
      expect(job).toMatchObject({ payload: '{"orderId":1}', priority: 0, retries: 0, fence: 1 });
      expect(Math.abs(job.now - job.due)).toBeLessThan(60_000);
    });

    context.itWithSql.each([
      ['a due time in nanoseconds', 'due', 1_800_000_000_000_000_000n],
      ['a due time from which now cannot be subtracted', 'due', -(2n ** 63n)],
      ['a due time in words', 'due', '2027-01-01 08:00:00'],
      ['a deadline in nanoseconds', 'deadline', 1_800_000_000_000_000_000n],
      ['a deadline in words', 'deadline', '2027-01-01 08:00:00'],
      ['a state that does not exist', 'state', 'ready'],
      ['a running job that nobody runs', 'state', 'running'],
      ['a priority that no claim looks for', 'priority', 10],
    ])('refuses %s from plain SQL', async (_, column, value) => {
      const fixture = await context.open();
      const inserting = fixture.sql(`INSERT INTO pq_job (service, type, payload, ${column}) VALUES (?, 't', '1', ?)`, [
        fixture.service,
        value,
      ]);
      await expect(inserting).rejects.toThrow();
      expect(await fixture.queue.counts()).toEqual([]);
    });
  });

  describe('a key', () => {
    it('lets one of 20 concurrent enqueues create the job and tells the others its id', async () => {
      const { queue } = await context.open({ connections: { max: 21 } });
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => queue.enqueue('pay', { n: 1 }, { key: 'order-1' })),
      );
      expect(answers.filter(({ created }) => created)).toHaveLength(1);
      expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
      expect(await queue.counts()).toEqual([{ type: 'pay', state: 'waiting', count: 1 }]);
    });

    it('is taken per service and type only', async () => {
      const one = await context.open();
      const two = await context.open();
      const answers = [
        await one.queue.enqueue('a', null, { key: 'k' }),
        await one.queue.enqueue('b', null, { key: 'k' }),
        await two.queue.enqueue('a', null, { key: 'k' }),
      ];
      expect(answers.map(({ created }) => created)).toEqual([true, true, true]);
    });

    it('that is taken leaves the transaction of the caller usable', async () => {
      const { queue, sql, dataSource } = await context.open();
      const first = await queue.enqueue('pay', null, { key: 'k' });
      const second = await queue.transaction(async (manager) => {
        await manager.query('INSERT INTO purchase (id) VALUES (101)');
        const answer = await queue.enqueue('pay', null, { key: 'k', manager });
        await manager.query('INSERT INTO purchase (id) VALUES (102)');
        return answer;
      });
      expect(second).toEqual({ id: first.id, created: false });
      expect(await sql('SELECT id FROM purchase WHERE id IN (101, 102)')).toHaveLength(2);
      expect(dataSource.isInitialized).toBe(true);
    });

    if (['mariadb', 'mysql'].includes(context.database.name))
      it('taken after the snapshot of a REPEATABLE READ transaction is still answered', async () => {
        const { queue, dataSource } = await context.open();
        await dataSource.transaction('REPEATABLE READ', async (manager) => {
          await manager.query('SELECT COUNT(*) FROM pq_job');
          const first = await queue.enqueue('late', null, { key: 'k' });
          expect(await queue.enqueue('late', null, { key: 'k', manager })).toEqual({ id: first.id, created: false });
          await manager.query('INSERT INTO purchase (id) VALUES (103)');
        });
        expect(await dataSource.query('SELECT id FROM purchase WHERE id = 103')).toHaveLength(1);
      });
  });

  describe('a transaction of the caller', () => {
    it('commits the job together with its own rows', async () => {
      const { queue, sql } = await context.open();
      const { id } = await queue.transaction(async (manager) => {
        await manager.query('INSERT INTO purchase (id) VALUES (1)');
        return queue.enqueue('order.notify', { orderId: 1 }, { manager });
      });
      expect((await queue.get(id))?.state).toBe('waiting');
      expect(await sql('SELECT id FROM purchase WHERE id = 1')).toHaveLength(1);
    });

    it('that rolls back leaves no job and no row', async () => {
      const { queue, sql } = await context.open();
      const failing = queue.transaction(async (manager) => {
        await manager.query('INSERT INTO purchase (id) VALUES (2)');
        await queue.enqueue('order.notify', { orderId: 2 }, { manager });
        throw new Error('out of stock');
      });
      await expect(failing).rejects.toThrow('out of stock');
      expect(await queue.counts()).toEqual([]);
      expect(await sql('SELECT id FROM purchase WHERE id = 2')).toHaveLength(0);
    });

    it('is joined by an enqueue inside of it without being named, and by another transaction', async () => {
      const { queue } = await context.open();
      const failing = queue.transaction(async () => {
        await queue.enqueue('t', 1);
        await queue.transaction((manager) => queue.enqueue('t', 2, { manager }));
        throw new Error('rolled back');
      });
      await expect(failing).rejects.toThrow('rolled back');
      expect(await queue.counts()).toEqual([]);
      await queue.transaction(() => queue.transaction(() => queue.enqueueMany('t', [{ payload: 1 }, { payload: 2 }])));
      expect(await queue.counts()).toEqual([{ type: 't', state: 'waiting', count: 2 }]);
    });

    it('of somebody else does not take in a job that is enqueued with a manager outside of it', async () => {
      const { queue, dataSource } = await context.open();
      let enqueuing: Promise<unknown> = Promise.resolve();
      const failing = queue.transaction(async (manager) => {
        await manager.query('INSERT INTO purchase (id) VALUES (3)');
        enqueuing = queue.enqueue('other', null, { manager: dataSource.manager });
        await Promise.resolve();
        throw new Error('rolled back');
      });
      await expect(failing).rejects.toThrow('rolled back');
      await enqueuing;
      expect(await queue.counts()).toEqual([{ type: 'other', state: 'waiting', count: 1 }]);
    });

    if (context.database.capabilities.concurrentWriters) {
      it('that stays open keeps nobody else from enqueueing, with a transaction or without', async () => {
        const { queue, dataSource } = await context.open();
        const open = async () => {
          const runner = dataSource.createQueryRunner();
          await runner.startTransaction();
          await queue.enqueueMany(
            't',
            Array.from({ length: 150 }, (_, payload) => ({ payload })),
            { manager: runner },
          );
          return runner;
        };
        const [first, second] = [await open(), await open()];
        for (let n = 0; n < 250; n++) await queue.enqueue('t', n);
        expect(await queue.counts()).toEqual([{ type: 't', state: 'waiting', count: 250 }]);
        await second.commitTransaction();
        await first.commitTransaction();
        await Promise.all([first.release(), second.release()]);
        expect(await queue.counts()).toEqual([{ type: 't', state: 'waiting', count: 550 }]);
      });
    }

    it('shows its job to nobody before the commit, and wakes workers only after it', async () => {
      const { queue, repository, wakeSignal } = await context.open();
      const woken: string[] = [];
      wakeSignal.subscribe((levels) => woken.push(...levels.map(({ type }) => type)));
      await queue.transaction(async (manager) => {
        await queue.enqueue('order.notify', null, { manager });
        expect((await repository.survey({ types: ['order.notify'], sweep: false })).ready).toEqual([]);
        expect(woken).toEqual([]);
      });
      expect(woken).toEqual(['order.notify']);
      expect((await repository.survey({ types: ['order.notify'], sweep: false })).ready).toEqual([
        { type: 'order.notify', priority: 0 },
      ]);
    });

    it('of another DataSource that leads to the same database wakes workers too, once', async () => {
      const { queue, wakeSignal, close } = await context.open();
      const other = await context.schema.connect();
      const before = other.subscribers.length;
      let wakes = 0;
      wakeSignal.subscribe(() => wakes++);
      for (let n = 1; n <= 2; n++) {
        await other.transaction(async (manager) => {
          await queue.enqueue('t', null, { manager });
          expect(wakes).toBe(n - 1);
        });
        expect(wakes).toBe(n);
      }
      await close();
      expect(other.subscribers).toHaveLength(before);
    });

    if (context.database.capabilities.concurrentWriters) {
      it('that releases a savepoint does not wake anybody yet', async () => {
        const { queue, wakeSignal, dataSource } = await context.open();
        let wakes = 0;
        wakeSignal.subscribe(() => wakes++);
        await dataSource.transaction(async (outer) => {
          await outer.transaction((inner) => queue.enqueue('t', null, { manager: inner }));
          expect(wakes).toBe(0);
        });
        expect(wakes).toBe(1);
      });
    }
  });
}
