import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { EntityManager } from 'typeorm';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import { InvalidOptionError } from '../../lib/errors/invalid-option.error.js';
import { UnknownOptionError } from '../../lib/errors/unknown-option.error.js';
import { JobQueue } from '../../lib/queue/job-queue.js';
import type { JobContext } from '../../lib/job/job-context.js';
import type { SettledJob } from '../../lib/job/operation.js';
import { JobOutcome } from '../../lib/job/job-outcome.js';
import { tableOperation } from '../../lib/operation/table-operation.js';
import type { TableOperationOptions } from '../../lib/operation/table-operation-options.js';
import { Operations } from '../../lib/operation/operations.js';
import { handler, startApp, type AppFixture } from '../support/app-fixture.js';
import { asyncJobTable } from '../support/async-job-table.js';
import { databases, type TestSchema } from '../support/databases.js';
import { waitUntil } from '../support/wait-until.js';

const TYPE = 1;

describe.each(databases())('tableOperation() on $name', (database) => {
  let schema: TestSchema;
  let fixture: AppFixture | undefined;
  let services = 0;
  beforeAll(async () => {
    schema = await database.create();
    const dataSource = await schema.connect();
    await dataSource.query(asyncJobTable(dataSource.options.type));
    await dataSource.query('CREATE VIEW job_view AS SELECT * FROM async_job_tab');
    await dataSource.query(
      'CREATE TABLE work_item (ref VARCHAR(60) PRIMARY KEY, state VARCHAR(10) NOT NULL, body VARCHAR(200), due_at BIGINT, tries INTEGER, problem VARCHAR(1200))',
    );
    await dataSource.query('CREATE INDEX work_item_due ON work_item (state, due_at)');
    await dataSource.query('CREATE TABLE loose (id INTEGER, job_status INTEGER, due VARCHAR(10))');
  });
  afterEach(async () => {
    await fixture?.queue.transaction(async (manager) => {
      await manager.query('DELETE FROM async_job_tab');
      await manager.query('DELETE FROM work_item');
    });
    await fixture?.close();
    fixture = undefined;
  });
  afterAll(() => schema.drop());

  const events: QueueEvent[] = [];
  async function launch(
    work: (payload: never, job: JobContext) => unknown,
    options: TableOperationOptions = { table: 'async_job_tab' },
  ): Promise<AppFixture> {
    events.length = 0;
    const operation = { use: tableOperation(options) };
    const started = await startApp(schema, {
      providers: [handler(TYPE, work, { operation, waitTime: 1, maxRetries: 1 })],
      queue: { serviceName: `service-${++services}`, autoStart: false },
    });
    started.queue.events$.subscribe((event) => events.push(event));
    fixture = started;
    return started;
  }

  const write = (sql: string) => (fixture as AppFixture).queue.transaction((manager) => manager.query(sql));
  const seconds = () => Math.floor(Date.now() / 1_000);
  /** As the seed documents: the status is 0, and a start time of 0 means now. */
  const insert = (params: string, { type = TYPE, startTime = 0, status = '0' } = {}) =>
    write(
      'INSERT INTO async_job_tab (params, job_type, job_status, start_time, create_time, update_time) ' +
        `VALUES ('${params}', ${type}, ${status}, ${startTime}, ${seconds()}, ${seconds()})`,
    );
  const read = async <Row>(sql: string) => (fixture as AppFixture).dataSource.query<Row[]>(sql);
  const statuses = async () => {
    const rows = await read<{ job_status: number | null }>('SELECT job_status FROM async_job_tab ORDER BY id');
    return rows.map(({ job_status: status }) => status);
  };
  const become = (...expected: (number | null)[]) =>
    waitUntil(async () => JSON.stringify(await statuses()) === JSON.stringify(expected), {
      describe: () => `statuses ${expected.join()}; events: ${JSON.stringify(events.slice(-2))}`,
    });

  it("runs the rows of the seed's own table, and writes its statuses", async () => {
    const seen: unknown[] = [];
    await launch((payload: unknown) => {
      seen.push(payload);
      return JSON.stringify(payload).includes('bad') ? JobOutcome.fail('no good') : undefined;
    });
    await insert('{"orderId":7}');
    await insert('"bad"');
    await insert('', { status: 'NULL' });
    await insert('{"not":"mine"}', { type: 2 });
    await insert('{"done":true}', { status: '1' });
    await (fixture as AppFixture).start();
    await become(1, 2, 1, 0, 1);
    expect(seen).toHaveLength(3);
    expect(seen).toEqual(expect.arrayContaining([{ orderId: 7 }, 'bad', null]));
  });

  it('runs a row no sooner than its start time, by the clock of the database', async () => {
    let startedAt = 0;
    await launch((_, job) => {
      startedAt = Date.now();
      return job.dueAt.toISOString();
    });
    const due = seconds() + 2;
    await insert('{}', { startTime: due });
    await (fixture as AppFixture).start();
    await become(1);
    expect(startedAt).toBeGreaterThanOrEqual(due * 1_000);
  });

  it('fails a row whose payload is no JSON, and says so in its history', async () => {
    await launch(() => undefined);
    await insert('{"half":');
    await (fixture as AppFixture).start();
    await become(2);
    const [row] = await read<{ id: string }>('SELECT id FROM async_job_tab');
    const [attempt] = await (fixture as AppFixture).app.get(Operations).history(TYPE, String(row?.id));
    expect(attempt?.error?.message).toContain('not JSON');
  });

  it('writes only when a row has ended, unless it has columns that tell of attempts and errors', async () => {
    const seen: (string | null)[] = [];
    await launch(
      async (_, job) => {
        const [row] = await read<{ state: string; tries: number | null; problem: string | null }>(
          'SELECT * FROM work_item',
        );
        seen.push(`${row?.state} ${row?.tries} ${row?.problem}`);
        if (job.attempt === 1) throw new Error('first time');
      },
      {
        table: 'work_item',
        columns: { id: 'ref', status: 'state', payload: 'body', due: 'due_at', attempts: 'tries', error: 'problem' },
        statuses: { waiting: ['new', 'again'], succeeded: 'done', failed: 'lost' },
        unit: 'ms',
      },
    );
    await write(`INSERT INTO work_item (ref, state, body, due_at) VALUES ('a''b\u00e9', 'again', '{"x":1}', NULL)`);
    await (fixture as AppFixture).start();
    await waitUntil(async () => (await read<{ state: string }>('SELECT state FROM work_item'))[0]?.state === 'done');
    expect(seen).toEqual(['again null null', 'again 1 first time']);
    const [row] = await read<{ tries: number; problem: string | null }>('SELECT tries, problem FROM work_item');
    expect(row).toMatchObject({ tries: 2, problem: null });
  });

  it('leaves a row alone that somebody has given another status meanwhile', async () => {
    await launch(() => write('UPDATE async_job_tab SET job_status = 9'));
    await insert('{}');
    await (fixture as AppFixture).start();
    await waitUntil(() => events.some(({ name }) => name === 'job.succeeded'));
    await waitUntil(async () => (await read('SELECT * FROM pq_operation_attempt')).length > 0);
    expect(await statuses()).toEqual([9]);
  });

  it('can be extended', async () => {
    const ended: string[] = [];
    class Telling extends tableOperation({ table: 'async_job_tab' }) {
      override async batchUpdateJobs(settled: readonly SettledJob[], manager: EntityManager): Promise<void> {
        await super.batchUpdateJobs(settled, manager);
        ended.push(...settled.map(({ outcome }) => outcome));
      }
    }
    fixture = await startApp(schema, {
      providers: [handler(TYPE, () => undefined, { operation: { use: Telling } })],
      queue: { serviceName: `service-${++services}` },
    });
    await insert('{}');
    await become(1);
    expect(ended).toEqual(['succeeded']);
  });

  it('warns at boot of a missing index, with the statement that makes it', async () => {
    const heard: QueueEvent[] = [];
    const listener = {
      provide: 'listener',
      inject: [JobQueue],
      useFactory: ({ events$ }: JobQueue) => events$.subscribe((event) => heard.push(event)),
    };
    const operation = { use: tableOperation({ table: 'async_job_tab' }) };
    fixture = await startApp(schema, {
      providers: [listener, handler(TYPE, () => undefined, { operation })],
      queue: { serviceName: `service-${++services}`, autoStart: false },
    });
    expect(heard).toContainEqual({
      name: 'operation.warning',
      operation: '1',
      warning: expect.stringContaining(
        'CREATE INDEX async_job_tab_due ON async_job_tab (job_status, job_type, start_time)',
      ),
    });
  });

  it.each<[string, TableOperationOptions, string]>([
    ['a table that is not there', { table: 'job`tab' }, 'no such table'],
    ['a name that is SQL', { table: 'async_job_tab; DROP TABLE async_job_tab' }, 'no such table'],
    ['a view', { table: 'job_view' }, 'It is a view'],
    [
      'a missing column',
      { table: 'async_job_tab', columns: { id: 'id', status: 'job`status' } },
      "'async_job_tab' has no such column. It has id, params",
    ],
    ['an id that is not unique', { table: 'loose', columns: { id: 'id', status: 'job_status' } }, 'unique index'],
    [
      'a due time of another type',
      { table: 'work_item', columns: { id: 'ref', status: 'state', due: 'body' } },
      'a column of whole numbers',
    ],
  ])('stops the application for %s', async (_, options, cure) => {
    const error = await launch(() => undefined, options).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect((error as Error).message).toContain(cure);
  });

  it.each<[string, object]>([
    ['no table', {}],
    ['an unknown option', { table: 't', colums: {} }],
    ['an unknown column', { table: 't', columns: { id: 'id', status: 's', dew: 'd' } }],
    ['no status column', { table: 't', columns: { id: 'id' } }],
    ['a status that is waiting and the end', { table: 't', statuses: { waiting: [0, 1], succeeded: 1, failed: 2 } }],
    ['a status of no kind', { table: 't', statuses: { waiting: {}, succeeded: 1, failed: 2 } }],
    ['an unknown unit', { table: 't', unit: 'minutes' }],
  ])('refuses %s', (_, options) => {
    const make = () => tableOperation(options as TableOperationOptions);
    expect(make).toThrow(/tableOperation\(\)/);
    try {
      make();
    } catch (error) {
      expect(error instanceof InvalidOptionError || error instanceof UnknownOptionError).toBe(true);
    }
  });
});
