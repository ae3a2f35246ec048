import { describe, expect, it } from '@jest/globals';
import { defineJob } from '../../lib/queue/job-definition.js';
import { detectDialect } from '../../lib/typeorm/detect-dialect.js';
import { queueTables } from '../../lib/typeorm/queue-tables.js';
import { drive } from '../../lib/typeorm/statement.js';
import { inspectOldestDue } from '../../lib/typeorm/statements/inspect-due.js';
import { retry, success, type QueueFixture } from '../support/queue-fixture.js';
import type { ContractContext } from './contract-context.js';

interface Explained {
  readonly 'QUERY PLAN': { readonly Plan: Readonly<Record<string, number>> }[];
}

export function inspectionContract(context: ContractContext): void {
  describe('the nodes', () => {
    it('are shown with what they run, and with how much of it they may', async () => {
      const fixture = await context.open();
      const { inspector, queue, repository } = fixture;
      const report = { type: 'report', concurrency: 2, maxCrashes: 1, deadline: 5_000 };
      const node = await repository.registerNode({ name: 'host:1', concurrency: 7, types: [report] });
      await queue.enqueueMany('report', [{ payload: 1 }, { payload: 2 }]);
      await queue.enqueue('mail');
      await fixture.claim(node, 'report');
      await fixture.claim(node, 'mail');
      const [only, ...others] = await inspector.nodes();
      expect(others).toEqual([]);
      expect(only).toEqual({
        id: node,
        name: `host:1#${node}`,
        state: 'alive',
        registeredAt: only?.beatAt,
        beatAt: expect.any(Date),
        concurrency: 7,
        running: 3,
        types: [{ ...report, running: 2 }],
      });
      expect(Math.abs(Date.now() - (only?.beatAt.getTime() ?? 0))).toBeLessThan(60_000);
    });

    it('that live come before those that have ended, and the latest come first', async () => {
      const fixture = await context.open();
      const [stopped, dead, first, second] = [
        await fixture.registerNode('stopped'),
        await fixture.registerNode('dead'),
        await fixture.registerNode('first'),
        await fixture.registerNode('second'),
      ];
      await fixture.repository.retireNode(stopped);
      await fixture.silence();
      for (const node of [first, second]) await fixture.repository.beat(node);
      await fixture.repository.rescue(1);
      // Their leases have been silenced away: they have ended long ago.
      expect((await fixture.inspector.nodes()).map(({ id }) => id)).toEqual([second, first]);
      const last = await fixture.registerNode('last');
      await fixture.repository.retireNode(last);
      expect((await fixture.inspector.nodes()).map(({ id, state }) => [id, state])).toEqual([
        [second, 'alive'],
        [first, 'alive'],
        [last, 'stopped'],
      ]);
      expect(dead).not.toBe(last);
    });

    it('whose lease has run out are silent until somebody has found them dead', async () => {
      const fixture = await context.open();
      await fixture.registerNode();
      await fixture.silence();
      expect(await fixture.inspector.nodes()).toMatchObject([{ state: 'silent' }]);
    });

    it('say which types they run from now on', async () => {
      const fixture = await context.open();
      const node = await fixture.registerNode('n', 'a');
      await fixture.repository.setTypes(node, [{ type: 'b', concurrency: 3, maxCrashes: 3, deadline: undefined }]);
      const [{ types } = { types: [] }] = await fixture.inspector.nodes();
      expect(types).toEqual([{ type: 'b', concurrency: 3, maxCrashes: 3, deadline: undefined, running: 0 }]);
    });

    it('of another service are its own affair', async () => {
      await (await context.open()).registerNode();
      expect(await (await context.open()).inspector.nodes()).toEqual([]);
    });
  });

  describe('the locks', () => {
    it('are shown with holder and fence, released ones too', async () => {
      const { inspector, lockRepository } = await context.open();
      const take = async (name: string) => {
        const request = { name, token: `token of ${name}`, owner: 'host:1', atMost: 60_000 };
        const answer = await lockRepository.take(request);
        return { ...request, fence: 'fence' in answer ? answer.fence : 0 };
      };
      await lockRepository.release(await take('b'), 0);
      const { fence } = await take('b');
      await lockRepository.release(await take('a'), 30_000);
      const [a, b] = await inspector.locks();
      expect(a).toMatchObject({ name: 'a', fence: 1, held: false });
      expect(b).toMatchObject({ name: 'b', owner: 'host:1', fence, held: true });
      expect(fence).toBe(2);
      const held = Number(b?.lockedUntil) - Number(b?.lockedAt);
      expect(held).toBe(60_000);
    });
  });

  describe('paused types', () => {
    it('are told in order', async () => {
      const { inspector, queue } = await context.open();
      for (const type of ['b', 'ä', 'a']) await queue.pause(type);
      expect(await inspector.pausedTypes()).toEqual(['a', 'b', 'ä']);
      await queue.resume('b');
      expect(await inspector.pausedTypes()).toEqual(['a', 'ä']);
    });
  });

  describe('the types', () => {
    it('are those that run, that have jobs, and that are paused', async () => {
      const fixture = await context.open();
      const { inspector, queue } = fixture;
      await fixture.registerNode('n', 'handled', 'both');
      for (const type of ['both', 'alone']) await queue.enqueue(type);
      await queue.pause('paused');
      expect(await inspector.types()).toEqual(['alone', 'both', 'handled', 'paused']);
      expect(await inspector.unhandledTypes()).toEqual(['alone']);
    });
  });

  describe('the oldest due job', () => {
    it('is told of each type, whatever its priority, the oldest of all first', async () => {
      const fixture = await context.open();
      const { inspector, queue } = fixture;
      await fixture.registerNode('n', 'handled', 'idle');
      const at = (seconds: number) => new Date(Date.now() + seconds * 1_000);
      await queue.enqueue('handled', null, { delay: '1h' });
      const handled = await queue.enqueue('handled', null, { priority: 3 });
      await queue.enqueue('handled', null, { priority: 9 });
      const lonely = await queue.enqueue('lonely');
      await queue.enqueue('Z');
      const [claimed] = await fixture.claim(await fixture.registerNode(), 'Z');
      await fixture.repository.settle([retry(claimed as never, 60_000)], 'n');
      const found = await inspector.oldestDue();
      expect(found.map(({ type, id }) => [type, id])).toEqual([
        ['handled', handled.id],
        ['lonely', lonely.id],
      ]);
      for (const { dueAt, age } of found) {
        expect(dueAt.getTime()).toBeLessThanOrEqual(at(60).getTime());
        expect(age).toBeGreaterThanOrEqual(0);
        expect(age).toBeLessThan(60_000);
      }
      expect(await (await context.open()).inspector.oldestDue()).toEqual([]);
    });

    it('is found under whichever concurrency key it waits', async () => {
      const { inspector, queue } = await context.open();
      const keyed = defineJob<{ tenant: string }>('t', {
        concurrencyKey: { from: ({ tenant }: { tenant: string }) => tenant, limit: 1 },
      });
      const oldest: string[] = [];
      for (const tenant of ['k', 'z', 'a']) {
        oldest.push((await queue.enqueue(keyed, { tenant })).id);
        oldest.push((await queue.enqueue(keyed, { tenant }, { priority: 5 })).id);
      }
      const { id: plain } = await queue.enqueue('u');
      for (const id of oldest) {
        expect((await inspector.oldestDue()).map((job) => job.id)).toEqual([id, plain]);
        await queue.cancel(id);
      }
    });

    it('is found of many types that nobody handles', async () => {
      const { inspector, queue } = await context.open();
      const types = Array.from({ length: 30 }, (_, n) => `type ${n}`);
      for (const type of types) await queue.enqueue(type);
      expect((await inspector.oldestDue()).map(({ type }) => type).sort()).toEqual(types.sort());
    });

    // Of the MySQL family that is counted with everything else that is read.
    if (context.database.name === 'postgres')
      it('is found without reading what waits behind it', async () => {
        const fixture = await context.open();
        const { service, queue, sql } = fixture;
        await fixture.registerNode('n', 'a', 'idle');
        const dialect = await detectDialect(context.dataSource.options, context.dataSource);
        const blocksRead = async () => {
          let blocks = 0;
          await drive(inspectOldestDue(queueTables(dialect, 'pq_', service)), async (step) => {
            const parameters = [...step.parameters];
            const [explained] = await sql<Explained>(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${step.sql}`, parameters);
            const plan = explained?.['QUERY PLAN'][0]?.Plan ?? {};
            blocks += (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0);
            return { rows: await sql(step.sql, parameters), affected: 0, insertId: 0 };
          });
          return blocks;
        };
        for (const type of ['a', 'b']) await queue.enqueueMany(type, [{ payload: 1 }, { payload: 1, priority: 5 }]);
        const few = await blocksRead();
        for (let doubled = 0; doubled < 13; doubled++)
          await sql(
            'INSERT INTO pq_job (service, type, payload, priority) SELECT service, type, payload, priority FROM pq_job WHERE service = ?',
            [service],
          );
        // A page of the index more for each search, as the tree grows.
        expect(await blocksRead()).toBeLessThan(few * 3);
        expect((await fixture.inspector.oldestDue()).map(({ type }) => type)).toEqual(['a', 'b']);
      });

    it('is not one that is running or has ended', async () => {
      const fixture = await context.open();
      await fixture.queue.enqueue('t');
      const job = await fixture.claimOne(await fixture.registerNode(), 't');
      expect(await fixture.inspector.oldestDue()).toEqual([]);
      await end(fixture, job);
      expect(await fixture.inspector.oldestDue()).toEqual([]);
    });
  });
}

async function end(fixture: QueueFixture, job: Parameters<typeof success>[0]): Promise<void> {
  await fixture.repository.settle([success(job)], 'n');
}
