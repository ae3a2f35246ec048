import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable, type Type } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import type { JobHandlerDecoratorOptions } from '../../lib/handler/job-handler.decorator.js';
import type { JobContext } from '../../lib/job/job-context.js';
import { JobOutcome } from '../../lib/job/job-outcome.js';
import { Operation, type LoadScope, type OperationJob, type SettledJob } from '../../lib/job/operation.js';
import { Operations } from '../../lib/operation/operations.js';
import { handler, startApp, type AppFixture, type AppOptions } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { TASK_TABLE, TaskOperation } from '../support/task-table.js';
import { deferred, waitUntil } from '../support/wait-until.js';

type Work = (payload: { note: string }, job: JobContext) => unknown;

describe.each(databases())('an operation on $name', (database) => {
  let schema: TestSchema;
  let fixture: AppFixture;
  let services = 0;
  beforeAll(async () => {
    schema = await database.create();
    await (await schema.connect()).query(TASK_TABLE);
  });
  afterEach(async () => {
    await fixture.dataSource.query('DELETE FROM task').catch(() => undefined);
    await fixture.close();
  });
  afterAll(() => schema.drop());

  const events: QueueEvent[] = [];
  async function start(options: AppOptions): Promise<AppFixture> {
    events.length = 0;
    fixture = await startApp(schema, {
      ...options,
      queue: { serviceName: `service-${services}`, autoStart: false, ...options.queue },
    });
    fixture.queue.events$.subscribe((event) => events.push(event));
    return fixture;
  }

  /** An application whose tasks are handled by `work`. */
  async function handle(work: Work, options: JobHandlerDecoratorOptions = {}, use: Type<Operation> = TaskOperation) {
    services++;
    const operation = { use, lock: { atMost: 3_000 }, ...options.operation };
    return start({ providers: [use, handler('task', work, { waitTime: 1, ...options, operation })] });
  }

  const insert = async (...notes: string[]) => {
    const values = notes.map((note, index) => `(${index + 1}, '${note}')`).join(', ');
    await fixture.queue.transaction((manager) => manager.query(`INSERT INTO task (id, note) VALUES ${values}`));
  };
  const states = async () => {
    const rows = await fixture.dataSource.query<{ state: number }[]>('SELECT state FROM task ORDER BY id');
    return rows.map(({ state }) => state);
  };
  const settled = (...expected: number[]) =>
    waitUntil(async () => JSON.stringify(await states()) === JSON.stringify(expected), {
      describe: () => `tasks to be ${expected.join()}; events: ${JSON.stringify(events.slice(-3))}`,
    });
  const outcomes = async (id: number) =>
    (await fixture.app.get(Operations).history('task', id)).map(({ outcome, reason }) => reason ?? outcome);

  it('runs rows of a table of yours, writes their ends there, and keeps their history', async () => {
    const seen: string[] = [];
    await handle((payload, job) => {
      seen.push(`${job.id} ${payload.note} ${job.attempt}`);
      if (payload.note === 'bad') return JobOutcome.fail('no good');
      return undefined;
    });
    await insert('a', 'bad', 'c');
    await fixture.start();
    await settled(1, 2, 1);
    expect(seen).toEqual(['1 a 1', '2 bad 1', '3 c 1']);
    expect(await outcomes(1)).toEqual(['succeeded']);
    expect(await outcomes(2)).toEqual(['error']);
    expect(await fixture.dataSource.query('SELECT * FROM pq_operation_row')).toEqual([]);
  });

  it('runs a row again while retries last, and remembers them across a restart', async () => {
    let attempts: number[] = [];
    const work: Work = (_, job) => {
      attempts.push(job.attempt);
      throw new Error('not yet');
    };
    await handle(work, { maxRetries: 3, backoff: (attempt) => (attempt === 2 ? 60_000 : 1) });
    await insert('a');
    await fixture.start();
    await waitUntil(async () => (await outcomes(1)).length === 2);
    await fixture.close();
    expect(attempts).toEqual([1, 2]);
    attempts = [];
    await start({
      providers: [
        TaskOperation,
        handler('task', work, { maxRetries: 3, waitTime: 1, operation: { use: TaskOperation } }),
      ],
    });
    await fixture.queue.transaction((manager) => manager.query('UPDATE pq_operation_row SET due = 1'));
    await fixture.start();
    await settled(2);
    expect(attempts).toEqual([3, 4]);
    expect(await outcomes(1)).toEqual(['error', 'error', 'error', 'error']);
  });

  it('goes on later when its handler says so, at a time of its own, without using up a retry', async () => {
    const started: number[] = [];
    let at = 0;
    await handle(
      (_, job) => {
        started.push(Date.now());
        if (started.length === 1) return JobOutcome.continue({ after: 200 });
        if (started.length === 2) return JobOutcome.continue({ at: new Date((at = Date.now() + 300)) });
        return job.attempt === 1 ? undefined : JobOutcome.fail('a retry was used up');
      },
      { maxRetries: 0 },
    );
    await insert('a');
    await fixture.start();
    await settled(1);
    expect(Number(started[1]) - Number(started[0])).toBeGreaterThanOrEqual(195);
    expect(Number(started[2])).toBeGreaterThanOrEqual(at - 5);
    expect(await outcomes(1)).toEqual(['continued', 'continued', 'succeeded']);
  });

  it('runs rows on their last chance alone, one after the other', async () => {
    let inside = 0;
    let most = 0;
    await handle(async () => {
      most = Math.max(most, ++inside);
      await new Promise(setImmediate);
      inside--;
    });
    await insert('a', 'b', 'c');
    const columns = 'service, operation, row_id, suspect, crashes';
    for (const row of [1, 2, 3])
      await fixture.queue.transaction((manager) =>
        manager.query(
          `INSERT INTO pq_operation_row (${columns}) VALUES ('service-${services}', 'task', '${row}', 1, 2)`,
        ),
      );
    await fixture.start();
    await settled(1, 1, 1);
    expect(most).toBe(1);
  });

  it('leaves a row that is not due yet alone', async () => {
    @Injectable()
    class Early extends TaskOperation {
      override async loadJobs(scope: LoadScope): Promise<OperationJob[]> {
        return (await super.loadJobs(scope)).map((row) => ({ ...row, dueAt: new Date(due) }));
      }
    }
    const due = Date.now() + 600;
    let startedAt = 0;
    await handle(() => void (startedAt = Date.now()), {}, Early);
    await insert('a');
    await fixture.start();
    await settled(1);
    expect(startedAt).toBeGreaterThanOrEqual(due);
  });

  it('is wrapped around the handler by handleJob()', async () => {
    @Injectable()
    class Wrapped extends TaskOperation {
      override async handleJob(payload: { note: string }, _job: JobContext, run: () => Promise<unknown>) {
        if (payload.note === 'skip') return undefined;
        return run();
      }
    }
    const seen: string[] = [];
    await handle(({ note }) => void seen.push(note), {}, Wrapped);
    await insert('skip', 'b');
    await fixture.start();
    await settled(1, 1);
    expect(seen).toEqual(['b']);
  });

  it('is that of all handlers when it is given by overrides', async () => {
    services++;
    const seen: string[] = [];
    await start({
      providers: [handler('task', ({ note }: { note: string }) => void seen.push(note))],
      queue: { overrides: [{ provide: Operation, useClass: TaskOperation }] },
    });
    await insert('a');
    await fixture.start();
    await settled(1);
    expect(seen).toEqual(['a']);
  });

  it('commits what a handler writes together with the end of its row, or neither', async () => {
    await handle(
      async (_, job) => {
        await job.transaction(async (manager) => {
          await manager.query(`UPDATE task SET note = 'attempt ${job.attempt}' WHERE id = 1`);
          if (job.attempt === 1) throw new Error('rolled back');
        });
      },
      { maxRetries: 1 },
    );
    await insert('a');
    await fixture.start();
    await settled(1);
    const [row] = await fixture.dataSource.query<{ note: string }[]>('SELECT note FROM task');
    expect(row?.note).toBe('attempt 2');
    expect(await outcomes(1)).toEqual(['error', 'succeeded']);
  });

  it('starts nothing while its type is paused, also when it was before the start', async () => {
    const seen: string[] = [];
    services++;
    const operation = { use: TaskOperation };
    await start({
      providers: [
        TaskOperation,
        handler('task', ({ note }: { note: string }) => void seen.push(note), { operation }),
        handler('other', () => undefined),
      ],
    });
    await fixture.queue.pause('task');
    await insert('a');
    await fixture.start();
    const look = async () => fixture.waitFor((await fixture.queue.enqueue('other', {})).id, 'succeeded');
    await waitUntil(() => events.some(({ name }) => name === 'operation.led'));
    await look();
    await look();
    expect(seen).toEqual([]);
    await fixture.queue.resume('task');
    await settled(1);
  });

  it('is told of what is wrong with loaded rows, and runs the others', async () => {
    @Injectable()
    class Messy extends TaskOperation {
      override async loadJobs(scope: LoadScope): Promise<OperationJob[]> {
        const rows = await super.loadJobs(scope);
        return [
          ...rows,
          ...rows,
          null,
          { payload: 1 },
          { id: '', payload: 1 },
          { id: {}, payload: 1 },
        ] as OperationJob[];
      }
    }
    const seen: string[] = [];
    await handle(({ note }) => void seen.push(note), {}, Messy);
    await insert('a', 'b');
    await fixture.start();
    await settled(1, 1);
    expect(seen.toSorted()).toEqual(['a', 'b']);
    expect(events).toContainEqual(expect.objectContaining({ name: 'operation.bad-rows', operation: 'task' }));
  });

  it.each([
    ['throws in its load', 'load', () => Promise.reject(new Error('no table'))],
    ['answers no rows but a number', 'load', () => Promise.resolve(7 as unknown as OperationJob[])],
    ['hangs in its load', 'load', () => new Promise<OperationJob[]>(() => undefined)],
  ])('that %s is told, and other types go on', async (_, during, load) => {
    let calls = 0;
    @Injectable()
    class Broken extends TaskOperation {
      override loadJobs(scope: LoadScope): Promise<OperationJob[]> {
        return calls++ === 0 ? load() : super.loadJobs(scope);
      }
    }
    services++;
    const seen: string[] = [];
    const operation = { use: Broken, timeout: 300 };
    await start({
      providers: [
        Broken,
        handler('task', () => void seen.push('task'), { operation }),
        handler('other', () => void seen.push('other')),
      ],
    });
    await insert('a');
    await fixture.start();
    const { id } = await fixture.queue.enqueue('other', {});
    await fixture.waitFor(id, 'succeeded');
    await settled(1);
    expect(seen).toEqual(['other', 'task']);
    expect(events).toContainEqual(expect.objectContaining({ name: 'operation.failed', operation: 'task', during }));
  });

  it.each([
    ['throws', () => Promise.reject(new Error('locked'))],
    ['hangs', () => new Promise<void>(() => undefined)],
  ])('whose update of one row %s keeps that row, writes the others, and handles none twice', async (_, update) => {
    let isBroken = true;
    @Injectable()
    class Stuck extends TaskOperation {
      override async batchUpdateJobs(rows: readonly SettledJob<{ note: string }>[], manager: EntityManager) {
        if (isBroken && rows.some(({ payload }) => payload.note === 'poison')) await update();
        await super.batchUpdateJobs(rows, manager);
      }
    }
    const seen: string[] = [];
    await handle(({ note }) => void seen.push(note), { operation: { use: Stuck, timeout: 200 } }, Stuck);
    await insert('a', 'poison', 'c');
    await fixture.start();
    await settled(1, 0, 1);
    expect(events).toContainEqual(expect.objectContaining({ name: 'operation.failed', during: 'update', rows: 1 }));
    isBroken = false;
    await settled(1, 1, 1);
    expect(seen.toSorted()).toEqual(['a', 'c', 'poison']);
  });

  it('is led by one process at a time, and by the next one as soon as that stops', async () => {
    const seen: string[] = [];
    await handle(() => void seen.push('first'));
    await fixture.start();
    await waitUntil(() => events.some(({ name }) => name === 'operation.led'));
    // It asks twice as often as its lock would run out, and a machine that is busy must have time to renew that.
    const operation = { use: TaskOperation, lock: { atMost: 1_500 } };
    const second = await startApp(schema, {
      providers: [TaskOperation, handler('task', () => void seen.push('second'), { operation })],
      queue: { serviceName: `service-${services}` },
    });
    await insert('a');
    await settled(1);
    expect(seen).toEqual(['first']);
    const first = fixture;
    fixture = second;
    await first.close();
    await fixture.queue.transaction((manager) => manager.query("INSERT INTO task (id, note) VALUES (2, 'b')"));
    await settled(1, 1);
    expect(seen).toEqual(['first', 'second']);
  });

  it('that stops waits for its handlers, and gives back what they do not finish', async () => {
    const begun = deferred();
    const seen: string[] = [];
    services++;
    const queue = { serviceName: `service-${services}`, shutdownTimeout: 100 };
    const work = async (_: unknown, job: JobContext) => {
      seen.push(`attempt ${job.attempt}`);
      begun.resolve();
      if (seen.length === 1) await new Promise((resolve) => job.signal.addEventListener('abort', resolve));
    };
    const providers = [TaskOperation, handler('task', work, { maxRetries: 0, operation: { use: TaskOperation } })];
    await start({ providers, queue });
    await insert('a');
    await fixture.start();
    await begun.promise;
    await fixture.close();
    await start({ providers, queue });
    expect(await outcomes(1)).toEqual(['released']);
    await fixture.start();
    await settled(1);
    expect(seen).toEqual(['attempt 1', 'attempt 1']);
  });
});
