import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import { Schedules } from '../../lib/schedule/schedules.js';
import { describeGalera, MEMBERS } from '../support/galera-fixture.js';
import type { QueueFixture } from '../support/queue-fixture.js';
import { waitUntil } from '../support/wait-until.js';

describeGalera('a Galera cluster of three', (galera) => {
  it('runs each job once on workers of all members, though their claims collide, under the id that was answered', async () => {
    galera.nextService();
    const runs: string[] = [];
    const events: QueueEvent[] = [];
    const all = await Promise.all(
      MEMBERS.map((member) => galera.start(galera.on(member), (_payload, job) => void runs.push(job.id))),
    );
    for (const { queue } of all) queue.events$.subscribe((event) => void events.push(event));
    const enqueued = await Promise.all(
      all.flatMap(({ queue }) => Array.from({ length: 30 }, () => queue.enqueue('work'))),
    );
    const hasCollided = () => events.some(({ name }) => name === 'database.retried');
    for (let round = 0; round < 20 || (round < 400 && !hasCollided()); round++) {
      const more = await Promise.all(all.map(({ queue }) => queue.enqueue('work')));
      enqueued.push(...more);
    }
    const ids = enqueued.map(({ id }) => id);
    for (const id of ids) expect((await all[0]!.waitFor(id, 'succeeded')).retries).toBe(0);
    expect(runs.toSorted()).toEqual(ids.toSorted());
    expect(hasCollided()).toBe(true);
    expect(events.filter(({ name }) => name === 'database.error')).toEqual([]);
  });

  it('answers the ids of the rows that are there, also where enqueues collide', async () => {
    galera.nextService();
    const all = await galera.onEach();
    const sql = await galera.schema.connect();
    // To a member, two entries of it are the same that differ for everybody else by a NULL.
    await sql.query('CREATE UNIQUE INDEX colliding ON pq_job (service, type, reference)');
    const retries: QueueEvent[] = [];
    for (const { events } of all)
      events.events$.subscribe((event) => event.name === 'database.retried' && retries.push(event));
    const ids: string[] = [];
    for (let round = 0; round < 30; round++) {
      const enqueued = await Promise.all(all.map(({ queue }) => queue.enqueue('t')));
      ids.push(...enqueued.map(({ id }) => id));
    }
    await sql.query('DROP INDEX colliding ON pq_job');
    expect(retries).not.toEqual([]);
    const rows: { id: string }[] = await sql.query('SELECT id FROM pq_job WHERE service = ?', [all[0]!.service]);
    expect(rows.map(({ id }) => Number(id)).toSorted((a, b) => a - b)).toEqual(
      ids.map(Number).toSorted((a, b) => a - b),
    );
  });

  it('numbers jobs in steps, and answers those of one call in their order', async () => {
    galera.nextService();
    const [, queue] = (await galera.onEach()) as [QueueFixture, QueueFixture];
    const jobs = await queue.queue.enqueueMany(
      't',
      Array.from({ length: 20 }, (_, payload) => ({ payload })),
    );
    const ids = jobs.map(({ id }) => Number(id));
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(ids[1]! - ids[0]!).toBeGreaterThan(1);
    for (const [payload, { id }] of jobs.entries()) expect((await queue.queue.get(id))?.payload).toBe(payload);
  });

  it('knows on each member what was enqueued on another one, at once', async () => {
    galera.nextService();
    const [one, two] = (await galera.onEach()) as [QueueFixture, QueueFixture];
    for (let round = 0; round < 50; round++) {
      const { id } = await one.queue.enqueue('t', round);
      expect((await two.queue.get(id))?.payload).toBe(round);
    }
  });

  it('has one job for a key that is enqueued on all members at the same moment', async () => {
    galera.nextService();
    const all = await galera.onEach();
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all(all.map(({ queue }) => queue.enqueue('t', null, { key: `key-${round}` })));
      expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
      expect(answers.filter(({ created }) => created)).toHaveLength(1);
    }
  });

  it('gives a lock to one of those who ask for it on all members at the same moment', async () => {
    galera.nextService();
    const all = await galera.onEach();
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all(all.map(({ locks }) => locks.tryAcquire(`lock-${round}`, { atMost: '1m' })));
      const taken = answers.filter((lock) => lock !== undefined);
      expect(taken).toHaveLength(1);
      await taken[0]!.release();
    }
  });

  it('fires a schedule once at each of its times, whichever member a node asks', async () => {
    galera.nextService();
    const all = await Promise.all(MEMBERS.map((member) => galera.start(galera.on(member), () => undefined)));
    const schedules = all[0]!.app.get(Schedules);
    await schedules.upsert('often', { spec: '@every 1s', type: 'work' });
    const firings = async () => (await schedules.history('often')).map(({ fireTime }) => fireTime.getTime());
    await waitUntil(async () => (await firings()).length >= 3, { describe: 'three firings' });
    await schedules.disable('often');
    const times = await firings();
    const jobs = await all[0]!.queue.find({ type: 'work' });
    expect(jobs.jobs).toHaveLength(times.length);
    expect(new Set(times).size).toBe(times.length);
  });

  describe('while two members change a row at the same moment', () => {
    /** Both commit at once: the first to be ordered in the cluster wins. */
    async function race(
      guarded: (manager: EntityManager) => Promise<boolean>,
      taking: { query: string; parameters: unknown[] },
    ): Promise<string[]> {
      const [here, there] = galera.queues.map(({ dataSource }) => dataSource.createQueryRunner());
      try {
        await here!.startTransaction();
        await there!.startTransaction();
        expect(await guarded(here!.manager)).toBe(true);
        await here!.query('INSERT INTO effect (note) VALUES (1)');
        await there!.query(taking.query, taking.parameters);
        const commits = await Promise.allSettled([here!.commitTransaction(), there!.commitTransaction()]);
        return commits.map(({ status }) => status);
      } finally {
        for (const runner of [here!, there!]) {
          if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
          await runner.release();
        }
      }
    }

    it('lets both go on when the rows are jobs without a key', async () => {
      galera.nextService();
      const [one] = (await galera.onEach()) as [QueueFixture];
      const jobs = await one.queue.enqueueMany('t', [{ payload: 1 }, { payload: 2 }]);
      const [here, there] = galera.queues.map(({ dataSource }) => dataSource.createQueryRunner());
      for (let round = 0; round < 5; round++) {
        const statements = [here!, there!].map(async (runner, index) => {
          await runner.startTransaction();
          await runner.query('UPDATE pq_job SET fence = fence + 1 WHERE id = ?', [jobs[index]!.id]);
        });
        await Promise.all(statements);
        await Promise.all([here!.commitTransaction(), there!.commitTransaction()]);
      }
      await Promise.all([here!.release(), there!.release()]);
    });

    it('lets one of them have it: who writes under a lock, or who takes it over', async () => {
      galera.nextService();
      const [one] = (await galera.onEach()) as [QueueFixture];
      for (let round = 0; round < 5; round++) {
        const held = { name: `lock-${round}`, token: randomUUID() };
        await one.lockRepository.take({ ...held, owner: 'one', atMost: 60_000 });
        const outcome = await race((manager) => one.lockRepository.holdIn(manager, held), {
          query: "UPDATE pq_lock SET fence = fence + 1, token = 'two' WHERE service = ? AND name = ?",
          parameters: [one.service, held.name],
        });
        expect(outcome.toSorted()).toEqual(['fulfilled', 'rejected']);
      }
    });

    it('lets one of them have it also where the lock is in the table of another program', async () => {
      galera.nextService();
      const [one] = (await galera.onEach({ locks: { table: 'shedlock_tab' }, synchronize: true })) as [QueueFixture];
      for (let round = 0; round < 5; round++) {
        const held = { name: `lock-${round}`, token: randomUUID() };
        await one.lockRepository.take({ ...held, owner: 'one', atMost: 60_000 });
        const outcome = await race((manager) => one.lockRepository.holdIn(manager, held), {
          query: "UPDATE shedlock_tab SET lock_until = NOW(), locked_by = 'two' WHERE lock_name = ?",
          parameters: [held.name],
        });
        expect(outcome.toSorted()).toEqual(['fulfilled', 'rejected']);
      }
    });

    it('lets one of them have it: who saves a step, or who takes its job away', async () => {
      galera.nextService();
      const [one] = (await galera.onEach()) as [QueueFixture];
      const node = await one.registerNode();
      for (let round = 0; round < 5; round++) {
        await one.queue.enqueue('t');
        const claimed = await one.claimOne(node, 't');
        const end = { name: 'step', kind: 'step', parent: '', place: 1, state: 'succeeded', attempts: 1 } as const;
        const times = { startedAt: performance.now(), endedAt: performance.now() };
        const nothing = { result: undefined, context: undefined, error: undefined };
        const outcome = await race(
          async (manager) => (await one.steps.saveIn(manager, claimed, { ...end, ...times, ...nothing })) === 'saved',
          { query: 'UPDATE pq_job SET fence = fence + 1 WHERE id = ?', parameters: [claimed.id] },
        );
        expect(outcome.toSorted()).toEqual(['fulfilled', 'rejected']);
      }
    });
  });
});
