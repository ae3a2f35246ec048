import { describe, expect, it } from '@jest/globals';
import { detectDialect } from '../../lib/typeorm/detect-dialect.js';
import { queueTables } from '../../lib/typeorm/queue-tables.js';
import { drive } from '../../lib/typeorm/statement.js';
import { unhandledTypes } from '../../lib/typeorm/statements/unhandled-types.js';
import { handled, QueueFixture, success } from '../support/queue-fixture.js';
import type { ContractContext } from './contract-context.js';

export function nodesContract(context: ContractContext): void {
  describe('a node', () => {
    it('that beats is alive, and its jobs are nobody else’s', async () => {
      const fixture = await context.open();
      const { id } = await fixture.queue.enqueue('t', null);
      const node = await fixture.registerNode();
      await fixture.claimOne(node, 't');
      expect(await fixture.repository.beat(node)).toBe(true);
      expect(await fixture.repository.survey({ types: [], sweep: true })).toMatchObject({ orphans: false });
      expect(await fixture.repository.rescue(10)).toEqual([]);
      expect((await fixture.queue.get(id))?.state).toBe('running');
    });

    it('without a beat for its lease is found dead, and never comes back to life', async () => {
      const fixture = await context.open();
      const node = await fixture.registerNode();
      await fixture.silence();
      expect(await fixture.repository.survey({ types: [], sweep: true })).toMatchObject({ orphans: true });
      await fixture.repository.rescue(10);
      expect(await fixture.repository.beat(node)).toBe(false);
      expect(await fixture.repository.beat(node)).toBe(false);
    });

    it('whose lease has run out while nobody looked lives on with its next beat', async () => {
      const fixture = await context.open();
      const node = await fixture.registerNode();
      await fixture.silence();
      expect(await fixture.repository.beat(node)).toBe(true);
      expect(await fixture.repository.rescue(10)).toEqual([]);
      expect(await fixture.repository.beat(node)).toBe(true);
    });

    it('that has retired leaves its jobs to be rescued at once', async () => {
      const fixture = await context.open();
      const { id } = await fixture.queue.enqueue('t', null);
      const node = await fixture.registerNode();
      await fixture.claimOne(node, 't');
      await fixture.repository.retireNode(node);
      expect(await fixture.repository.rescue(10)).toMatchObject([{ id, state: 'waiting' }]);
    });

    it('is told of every claim the database holds for it', async () => {
      const fixture = await context.open();
      await fixture.queue.enqueueMany('t', [{ payload: 1 }, { payload: 2 }]);
      const node = await fixture.registerNode();
      const jobs = await fixture.claim(node, 't');
      expect((await fixture.repository.claimsOf(node)).sort((a, b) => Number(a.id) - Number(b.id))).toEqual(
        jobs.map(({ id, fence }) => ({ id, fence })),
      );
      await fixture.repository.settle(
        jobs.map((job) => success(job)),
        'n',
      );
      expect(await fixture.repository.claimsOf(node)).toEqual([]);
    });
  });

  describe('a type without a living handler', () => {
    it('is reported while it has waiting jobs, and only then', async () => {
      const fixture = await context.open();
      for (const type of ['a', 'A', 'b', 'c'])
        await fixture.queue.enqueueMany(type, [{ payload: 1 }, { payload: 2, priority: 3 }]);
      await fixture.queue.enqueue('later', null, { delay: '1h' });
      await fixture.registerNode('n', 'b', 'x');
      expect((await fixture.repository.unhandledTypes()).sort()).toEqual(['A', 'a', 'c']);
      await fixture.silence();
      await fixture.repository.rescue(10);
      expect((await fixture.repository.unhandledTypes()).sort()).toEqual(['A', 'a', 'b', 'c']);
      expect(await (await context.open()).repository.unhandledTypes()).toEqual([]);
    });

    it('is one whose only node was killed, and which nobody has found dead', async () => {
      const fixture = await context.open();
      await fixture.queue.enqueue('a');
      await fixture.registerNode('killed', 'a');
      await fixture.silence();
      expect(await fixture.repository.unhandledTypes()).toEqual(['a']);
      await fixture.registerNode('n', 'a');
      expect(await fixture.repository.unhandledTypes()).toEqual([]);
    });

    it('is one that its node has said not to run any more', async () => {
      const fixture = await context.open();
      for (const type of ['a', 'b']) await fixture.queue.enqueue(type);
      const node = await fixture.registerNode('n', 'a');
      await fixture.registerNode('another');
      await fixture.repository.setTypes(node, handled('b'));
      expect(await fixture.repository.unhandledTypes()).toEqual(['a']);
      await fixture.repository.setTypes(node, handled('b', 'a'));
      expect(await fixture.repository.unhandledTypes()).toEqual([]);
    });

    context.itWithSql('is found behind any number of handled types, in at most ten statements', async () => {
      const fixture = await context.open();
      const types = Array.from({ length: 420 }, (_, n) => `type ${String(n).padStart(3, '0')}`);
      for (const type of [...types.slice(0, 30), 'type 399', 'é', 'type 0a', 'type 0b', 'zzz', 'A', '😀'])
        await fixture.queue.enqueue(type, null);
      await fixture.registerNode('n', ...types.slice(0, 200));
      await fixture.registerNode('m', ...types.slice(150), '😀');
      const dialect = await detectDialect(context.dataSource.options, context.dataSource);
      let statements = 0;
      const found = await drive(
        unhandledTypes(queueTables(dialect, 'pq_', fixture.service)),
        async ({ sql, parameters }) => {
          statements++;
          return { rows: await fixture.sql(sql, [...parameters]), affected: 0, insertId: 0 };
        },
      );
      expect(found).toEqual(['A', 'type 0a', 'type 0b', 'zzz', 'é']);
      expect(statements).toBeLessThanOrEqual(10);
      for (let n = 0; n < 40; n++) await fixture.queue.enqueue(`many ${n}`, null);
      const some = await fixture.repository.unhandledTypes();
      expect(some).toEqual(expect.arrayContaining(['A', 'type 0a', 'zzz']));
      expect(some.length).toBeGreaterThan(8);
      expect(some.length).toBeLessThanOrEqual(20);
    });
  });

  describe('a service with waiting jobs and no living node', () => {
    it('is found by the nodes of other services, whatever else is in the tables', async () => {
      // Tables of their own: the services of all the other tests are without a node too.
      const schema = await context.database.create();
      const open = async (serviceName: string) => {
        const fixture = new QueueFixture(await schema.connect(), { serviceName });
        await fixture.repository.open();
        return fixture;
      };
      const all = await Promise.all(['a', 'ended', 'lonely', 'served', 'z'].map(open));
      const [a, ended, lonely, served, z] = all as [
        QueueFixture,
        QueueFixture,
        QueueFixture,
        QueueFixture,
        QueueFixture,
      ];
      for (const { queue } of [a, lonely, served, z]) await queue.enqueue('t', null);
      await ended.queue.cancel((await ended.queue.enqueue('t', null)).id);
      await served.registerNode();
      expect(await served.repository.unhandledServices()).toEqual(['a', 'lonely', 'z']);
      await lonely.registerNode();
      expect(await served.repository.unhandledServices()).toEqual(['a', 'z']);
      // As if its only node had been killed: that of another service does not find it.
      await lonely.silence();
      expect(await served.repository.unhandledServices()).toEqual(['a', 'lonely', 'z']);
      await Promise.all(all.map((fixture) => fixture.close()));
      await schema.drop();
    });
  });

  describe('a rescue', () => {
    it('leaves nodes and jobs of other services alone', async () => {
      const one = await context.open();
      const two = await context.open();
      const { id } = await two.queue.enqueue('t', null);
      await two.claimOne(await two.registerNode(), 't');
      await two.silence();
      expect(await one.repository.rescue(10)).toEqual([]);
      expect((await two.queue.get(id))?.state).toBe('running');
    });

    it('writes a crash into the history of what had started, and nothing for what had not', async () => {
      const fixture = await context.open();
      const [started, unstarted] = await fixture.queue.enqueueMany('t', [{ payload: 1 }, { payload: 2 }]);
      const jobs = await fixture.claim(await fixture.registerNode('gone'), 't');
      await fixture.repository.recordStarts(
        jobs.filter(({ id }) => id === started?.id).map((job) => ({ ...job, ago: 500 })),
      );
      await fixture.silence();
      await fixture.repository.rescue(10);
      expect(await fixture.queue.history(started?.id ?? '')).toMatchObject([
        {
          attempt: 1,
          outcome: 'crashed',
          reason: 'crash',
          node: expect.stringMatching(/^gone#\d+$/),
          startedAt: expect.any(Date),
        },
      ]);
      expect(await fixture.queue.history(unstarted?.id ?? '')).toEqual([]);
    });

    it('never uses up a retry, and holds no crash against a job that was not suspect', async () => {
      const fixture = await context.open();
      const { id } = await fixture.queue.enqueue('t', null);
      await crash(fixture, true);
      expect(await fixture.queue.get(id)).toMatchObject({ state: 'waiting', retries: 0, crashes: 0 });
    });

    it('counts only crashes after a recorded start of a suspect, and fails the job at maxCrashes', async () => {
      const fixture = await context.open();
      const { id } = await fixture.queue.enqueue('t', null);
      await crash(fixture, true);
      await crash(fixture, false);
      expect(await fixture.queue.get(id)).toMatchObject({ crashes: 0, state: 'waiting' });
      await crash(fixture, true);
      await crash(fixture, false);
      await crash(fixture, true);
      expect(await fixture.queue.get(id)).toMatchObject({ crashes: 2, state: 'waiting' });
      await crash(fixture, true);
      expect(await fixture.queue.get(id)).toMatchObject({
        crashes: 3,
        state: 'failed',
        lastError: { name: 'CrashError' },
      });
      const history = await fixture.queue.history(id);
      expect(history.map(({ outcome, reason }) => `${outcome} ${reason}`)).toEqual([
        'crashed crash',
        'crashed crash',
        'crashed crash',
        'failed crash',
      ]);
    });
  });
}

/** A new node claims the one job, perhaps starts it, and dies. */
async function crash(fixture: QueueFixture, started: boolean): Promise<void> {
  const job = await fixture.claimOne(await fixture.registerNode(), 't', { maxCrashes: 3 });
  if (started) await fixture.repository.recordStarts([{ ...job, ago: 0 }]);
  await fixture.silence();
  await fixture.repository.rescue(10);
}
