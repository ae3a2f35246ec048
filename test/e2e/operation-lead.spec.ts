import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { databases, type TestSchema } from '../support/databases.js';
import { TaskFixture, type TaskOptions, type TaskWork } from '../support/task-fixture.js';
import { deferred } from '../support/wait-until.js';

const BRIEF = { lock: { atMost: 600 } };

describe.each(databases())('an operation on $name', (database) => {
  let schema: TestSchema;
  let fixture: TaskFixture;
  let services = 0;
  beforeAll(async () => {
    schema = await database.create();
    await TaskFixture.createTable(schema);
  });
  afterEach(async () => {
    await fixture.write('DELETE FROM task');
    await fixture.close();
  });
  afterAll(() => schema.drop());

  async function create(work: TaskWork, options: TaskOptions = {}): Promise<TaskFixture> {
    fixture = await TaskFixture.create(schema, work, { serviceName: `service-${++services}`, ...options });
    return fixture;
  }

  /** As another process would, while this one is paused: it holds the lock for a moment. */
  const takeLockAway = () =>
    fixture.write(
      `UPDATE pq_lock SET fence = fence + 1, token = 'other', owner = 'other' WHERE service = 'service-${services}'`,
    );

  it('that loses its lock again and again leads again, and its process lives', async () => {
    const seen: string[] = [];
    await create(({ note }) => void seen.push(note), { operation: BRIEF });
    await fixture.start();
    for (const round of [1, 2, 3]) {
      await fixture.heard('operation.led', round);
      await fixture.insert(round, `round ${round}`);
      await fixture.become(Object.fromEntries([1, 2, 3].slice(0, round).map((id) => [id, 1])));
      await takeLockAway();
      await fixture.heard('operation.lost', round);
    }
    expect(seen).toEqual(['round 1', 'round 2', 'round 3']);
  });

  it('that lost its lock writes nothing any more: its rows are ended under the next fence, once each', async () => {
    const begun = deferred();
    const mayEnd = deferred();
    const fences: number[] = [];
    await create(
      async (_, job) => {
        fences.push(job.delivery);
        begun.resolve();
        if (fences.length === 1) await mayEnd.promise;
      },
      { operation: BRIEF },
    );
    await fixture.insert(1);
    await fixture.start();
    await begun.promise;
    await takeLockAway();
    await fixture.heard('operation.lost');
    expect(await fixture.states()).toEqual({ 1: 0 });
    mayEnd.resolve();
    await fixture.become({ 1: 1 });
    const [row] = await fixture.dataSource.query<{ ended_by: number }[]>('SELECT ended_by FROM task');
    expect(fences).toEqual([1, row?.ended_by]);
    expect(row?.ended_by).toBeGreaterThan(2);
    expect(await fixture.outcomes(1)).toEqual(['crash', 'succeeded']);
  });

  it('that leads again runs rows that were inserted below those it has seen', async () => {
    await create(() => undefined, { operation: BRIEF });
    await fixture.start();
    await fixture.insert(10);
    await fixture.become({ 10: 1 });
    await takeLockAway();
    await fixture.heard('operation.lost');
    await fixture.insert(5);
    await fixture.become({ 5: 1, 10: 1 });
  });

  if (database.capabilities.concurrentWriters) {
    it('runs rows that are committed late, behind higher ids that have ended', async () => {
      await create(() => undefined);
      await fixture.start();
      const runner = fixture.dataSource.createQueryRunner();
      await runner.startTransaction();
      await runner.query("INSERT INTO task (id, note) VALUES (1, 'late')");
      await fixture.insert(2);
      await fixture.become({ 2: 1 });
      await runner.commitTransaction();
      await runner.release();
      await fixture.become({ 1: 1, 2: 1 });
    });
  }

  it('fails a row without retries at its first error, and does not run it after a restart', async () => {
    let runs = 0;
    const work = () => {
      runs++;
      throw new Error('no');
    };
    const serviceName = `restarted-${++services}`;
    await create(work, { maxRetries: 0, serviceName });
    await fixture.insert(1);
    await fixture.start();
    await fixture.become({ 1: 2 });
    await fixture.close();
    await create(work, { maxRetries: 0, serviceName });
    await fixture.start();
    await fixture.insert(2);
    await fixture.become({ 1: 2, 2: 2 });
    expect(runs).toBe(2);
  });

  it('is held up neither by a row that takes long, nor by handlers that throw', async () => {
    const mayEnd = deferred();
    await create(
      async ({ note }) => {
        if (note === 'slow') await mayEnd.promise;
        if (note === 'bad') throw new Error('bad');
      },
      { concurrency: 2, maxRetries: 0 },
    );
    await fixture.insert(1, 'slow');
    for (const id of [2, 3, 4]) await fixture.insert(id, 'bad');
    await fixture.insert(5);
    await fixture.start();
    await fixture.become({ 1: 0, 2: 2, 3: 2, 4: 2, 5: 1 });
    mayEnd.resolve();
    await fixture.become({ 1: 1, 2: 2, 3: 2, 4: 2, 5: 1 });
  });

  it('on an empty table is no error', async () => {
    await create(() => undefined);
    await fixture.start();
    await fixture.heard('operation.led');
    await fixture.insert(1);
    await fixture.become({ 1: 1 });
    expect(fixture.events.filter(({ name }) => name === 'operation.failed')).toEqual([]);
  });
});
