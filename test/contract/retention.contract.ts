import { describe, expect, it } from '@jest/globals';
import type { QueueFixture } from '../support/queue-fixture.js';
import { success } from '../support/queue-fixture.js';
import type { ContractContext } from './contract-context.js';

const NODE = 'host:1#1';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const many = (count: number) => Array.from({ length: count }, (_, n) => ({ payload: n }));

export function retentionContract(context: ContractContext): void {
  describe('prune', () => {
    context.itWithSql(
      'deletes jobs whose time has passed in batches, the first to expire first, and no others',
      async () => {
        const fixture = await context.open();
        const { queue, sql } = fixture;
        const ended = (await queue.enqueueMany('t', many(25))).map(({ id }) => id);
        await endAll(fixture, { keep: DAY });
        const kept = await queue.enqueue('open', 1);
        for (const [n, id] of ended.slice(0, 23).entries())
          await sql('UPDATE pq_job SET expires_at = ? WHERE id = ?', [1_000 - n, Number(id)]);
        expect(await fixture.repository.prune(10)).toBe(10);
        expect(await queue.get(ended[22] ?? '')).toBeUndefined();
        expect(await queue.get(ended[0] ?? '')).toBeDefined();
        expect(await fixture.repository.prune(10)).toBe(10);
        expect(await fixture.repository.prune(10)).toBe(3);
        expect(await fixture.repository.prune(10)).toBe(0);
        expect((await queue.find({})).jobs.map(({ id }) => id)).toEqual([kept.id, ended[24], ended[23]]);
      },
    );

    context.itWithSql("keeps the row of a key of scope 'forever', emptied, and frees one of scope 'row'", async () => {
      const fixture = await context.open();
      const { queue, sql, service } = fixture;
      const forever = await queue.enqueue('t', 'secret', { key: 'f', keyScope: 'forever' });
      const row = await queue.enqueue('t', 'secret', { key: 'r' });
      await endAll(fixture, { keep: DAY, result: '"secret"' });
      await sql('UPDATE pq_job SET expires_at = 1 WHERE service = ?', [service]);
      expect(await fixture.repository.prune(10)).toBe(2);
      expect(await fixture.repository.prune(10)).toBe(0);
      const emptied = { payload: undefined, result: undefined, progress: undefined, lastError: undefined };
      expect(await queue.get(forever.id)).toMatchObject({ state: 'succeeded', key: 'f', ...emptied });
      expect(JSON.stringify(await sql('SELECT * FROM pq_job WHERE service = ?', [service]))).not.toContain('secret');
      expect(await queue.enqueue('t', 1, { key: 'f' })).toEqual({ id: forever.id, created: false });
      expect(await queue.get(row.id)).toBeUndefined();
      expect((await queue.enqueue('t', 1, { key: 'r' })).created).toBe(true);
    });

    context.itWithSql('deletes attempts by their own age, and what they have logged', async () => {
      const fixture = await context.open({ retention: { history: '1h' } });
      const { queue, sql, service } = fixture;
      const [old, fresh] = (await queue.enqueueMany('t', many(2))).map(({ id }) => id);
      await endAll(fixture, { keep: DAY, notes: { progress: undefined, lines: [line('hello')] } });
      expect(await queue.log(old ?? '')).toMatchObject([{ message: 'hello' }]);
      await sql(`UPDATE pq_attempt SET ended_at = ended_at - 3600001 WHERE service = ? AND job_id = ?`, [
        service,
        Number(old),
      ]);
      expect(await fixture.repository.prune(10)).toBe(1);
      expect(await queue.history(old ?? '')).toEqual([]);
      expect(await queue.log(old ?? '')).toEqual([]);
      expect(await queue.get(old ?? '')).toBeDefined();
      expect(await queue.history(fresh ?? '')).toHaveLength(1);
      expect(await queue.log(fresh ?? '')).toHaveLength(1);
    });

    context.itWithSql("deletes attempts of the application's rows by their own age, in batches", async () => {
      const fixture = await context.open({ retention: { history: '1h' } });
      const { sql, service } = fixture;
      const insert = (row: string, age: number) =>
        sql(
          'INSERT INTO pq_operation_attempt (service, operation, row_id, fence, turn, attempt, node, ended_at, outcome) ' +
            "VALUES (?, 'o', ?, 1, 1, 1, 'n', ?, 'succeeded')",
          [service, row, Date.now() - age],
        );
      for (let n = 0; n < 13; n++) await insert(`old ${n}`, HOUR + 1_000);
      await insert('fresh', HOUR - 60_000);
      expect(await fixture.repository.prune(10)).toBe(10);
      expect(await fixture.repository.prune(10)).toBe(3);
      expect(await fixture.repository.prune(10)).toBe(0);
      expect(await sql('SELECT row_id FROM pq_operation_attempt WHERE service = ?', [service])).toEqual([
        { row_id: 'fresh' },
      ]);
    });

    context.itWithSql(
      "forgets rows of the application's that were due, and that nobody has touched for as long",
      async () => {
        const fixture = await context.open({ retention: { history: '1h' } });
        const other = await context.open();
        const { sql, service } = fixture;
        const insert = (row: string, { age = HOUR + 1_000, due = 0, started = 0, of = service } = {}) =>
          sql(
            'INSERT INTO pq_operation_row (service, operation, row_id, due, started_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)',
            [of, 'o', row, due, started, Date.now() - age],
          );
        await insert('gone');
        await insert('also gone', { due: Date.now() - HOUR });
        await insert('waits', { due: Date.now() + DAY });
        await insert('runs', { started: 1 });
        await insert('fresh', { age: HOUR - 60_000 });
        await insert('of another service', { of: other.service });
        expect(await fixture.repository.prune(1)).toBe(1);
        expect(await fixture.repository.prune(10)).toBe(1);
        expect(await fixture.repository.prune(10)).toBe(0);
        const left = await sql<{ row_id: string }>(
          'SELECT row_id FROM pq_operation_row WHERE service IN (?, ?) ORDER BY row_id',
          [service, other.service],
        );
        expect(left.map(({ row_id: id }) => id)).toEqual(['fresh', 'of another service', 'runs', 'waits']);
      },
    );

    context.itWithSql('deletes nodes that ended long ago and hold nothing', async () => {
      const fixture = await context.open();
      const { sql, service, repository } = fixture;
      const nodes: Record<string, string> = {};
      for (const name of ['alive', 'stopped', 'fresh', 'holding']) nodes[name] = await fixture.registerNode(name);
      await fixture.queue.enqueue('t', 1);
      await fixture.claimOne(nodes['holding'] ?? '', 't');
      for (const name of ['stopped', 'fresh', 'holding']) await repository.retireNode(nodes[name] ?? '');
      await sql("UPDATE pq_node SET expires_at = expires_at - 86400000 - 20000 WHERE service = ? AND name <> 'fresh'", [
        service,
      ]);
      await repository.prune(10);
      const left = await sql<{ name: string }>('SELECT name FROM pq_node WHERE service = ? ORDER BY id', [service]);
      expect(left.map(({ name }) => name)).toEqual(
        ['alive', 'fresh', 'holding'].map((name) => expect.stringMatching(name)),
      );
    });

    context.itWithSql('touches nothing of another service', async () => {
      const mine = await context.open();
      const theirs = await context.open();
      const { id } = await theirs.queue.enqueue('t', 1);
      await endAll(theirs, { keep: DAY, notes: { progress: '1', lines: [line('theirs')] } });
      await theirs.repository.retireNode(await theirs.registerNode());
      await mine.sql('UPDATE pq_job SET expires_at = 1 WHERE service = ?', [theirs.service]);
      await mine.sql('UPDATE pq_attempt SET ended_at = 0 WHERE service = ?', [theirs.service]);
      await mine.sql('UPDATE pq_node SET expires_at = 1 WHERE service = ?', [theirs.service]);
      const nodes = () => mine.sql('SELECT id FROM pq_node WHERE service = ? ORDER BY id', [theirs.service]);
      const before = await nodes();
      expect(await mine.repository.prune(10)).toBe(0);
      expect(await theirs.queue.get(id)).toBeDefined();
      expect(await theirs.queue.history(id)).toHaveLength(1);
      expect(await theirs.queue.log(id)).toHaveLength(1);
      expect(await nodes()).toEqual(before);
    });
  });

  describe('a retention of 0', () => {
    it('deletes the job with its end, but not what has been lost or holds a key for ever', async () => {
      const fixture = await context.open();
      const { queue, repository } = fixture;
      const gone = await queue.enqueue('t', 1);
      const lost = await queue.enqueue('t', 2);
      const forever = await queue.enqueue('t', 3, { key: 'f', keyScope: 'forever' });
      const jobs = await fixture.claim(await fixture.registerNode(), 't');
      await queue.cancel(lost.id);
      const settled = await repository.settle(
        jobs.map((job) => success(job, { keep: 0 })),
        NODE,
      );
      expect(settled).toEqual([lost.id]);
      expect(await queue.get(gone.id)).toBeUndefined();
      expect((await queue.get(lost.id))?.state).toBe('cancelled');
      expect((await queue.get(forever.id))?.state).toBe('succeeded');
      expect(await queue.history(gone.id)).toHaveLength(1);
    });

    it('leaves a job alone that is tried again', async () => {
      const fixture = await context.open();
      const { id } = await fixture.queue.enqueue('t', 1);
      await endAll(fixture, { state: 'scheduled', delay: 60_000, keep: undefined });
      expect((await fixture.queue.get(id))?.state).toBe('scheduled');
      expect(await fixture.repository.prune(10)).toBe(0);
    });
  });
}

function line(message: string) {
  return { line: 1, at: performance.now(), message };
}

async function endAll(fixture: QueueFixture, overrides: Parameters<typeof success>[1]): Promise<void> {
  const jobs = await fixture.claim(await fixture.registerNode(), 't');
  const lost = await fixture.repository.settle(
    jobs.map((job) => success(job, overrides)),
    NODE,
  );
  expect(lost).toEqual([]);
}
