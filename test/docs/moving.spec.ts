import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { databases, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';
import { snippetsOf } from './snippets.js';

const root = join(import.meta.dirname, '../..');
/** The systems that are left know MySQL. */
const theirs = databases().filter(({ name }) => name === 'mysql' || name === 'mariadb');

describe.each(theirs)('moving to $name', (database) => {
  let schema: TestSchema;
  let fixture: QueueFixture;
  beforeEach(async () => {
    schema = await database.create();
    fixture = new QueueFixture(await schema.connect(), { serviceName: 'shop' });
    await fixture.repository.open();
  });
  afterEach(async () => {
    await fixture.close();
    await schema.drop();
  });

  /** What the page says, twice: a second time must change nothing. */
  async function move(page: string): Promise<void> {
    const snippets = snippetsOf(root, `docs/${page}`, 'sql');
    expect(snippets).toHaveLength(1);
    for (let times = 0; times < 2; times++) await fixture.sql(snippets[0]?.code ?? '');
  }

  const jobs = async () => (await fixture.queue.find({})).jobs.toReversed();

  it('from persistent-queue takes over the open jobs of async_job_tab, each at its time', async () => {
    await fixture.sql(
      'CREATE TABLE async_job_tab (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, params VARCHAR(4096) COLLATE utf8mb4_unicode_ci ' +
        "DEFAULT '' NOT NULL, job_type INT NOT NULL, job_status TINYINT DEFAULT NULL, start_time INT UNSIGNED DEFAULT 0, " +
        'create_time INT UNSIGNED NOT NULL, update_time INT UNSIGNED NOT NULL) DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_unicode_ci',
    );
    await fixture.sql(
      'INSERT INTO async_job_tab (params, job_type, job_status, start_time, create_time, update_time) VALUES ' +
        `('{"n":1}', 7, 0, 0, 1600000000, 1600000000), ('{"n":2}', 8, NULL, 4102444800, 1600000001, 1600000001), ` +
        `('{"n":3}', 7, 1, 0, 1600000002, 1600000002), ('{"n":4}', 7, 2, 0, 1600000003, 1600000003)`,
    );
    await move('from-persistent-queue.md');
    expect(await jobs()).toMatchObject([
      { type: '7', payload: { n: 1 }, dueAt: new Date(1_600_000_000_000), key: 'async_job_tab-1', reference: '1' },
      { type: '8', payload: { n: 2 }, dueAt: new Date(4_102_444_800_000), key: 'async_job_tab-2', reference: '2' },
    ]);
    expect(await fixture.repository.promote(10)).toBe(1);
    expect((await fixture.claimOne(await fixture.registerNode(), '7')).payload).toBe('{"n":1}');
  });

  it('from qtask takes over the tasks that are not done', async () => {
    await fixture.sql(
      'CREATE TABLE tsk_system_task (task_id BIGINT PRIMARY KEY, next_execute_time DATETIME NOT NULL, max_execute_time DATETIME ' +
        'NOT NULL, order_no VARCHAR(32), status TINYINT NOT NULL, queue_name VARCHAR(64) NOT NULL, msg_content VARCHAR(256) NOT NULL)',
    );
    const insert = (id: number, status: number, order: string) =>
      fixture.sql(
        "INSERT INTO tsk_system_task VALUES (?, NOW() - INTERVAL 1 HOUR, NOW() + INTERVAL 1 DAY, ?, ?, 'ORDER:BIND', ?)",
        [id, order, status, JSON.stringify({ id })],
      );
    for (const [id, status, order] of [
      [1, 20, ''],
      [2, 30, 'A-2'],
      [3, 0, 'A-3'],
      [4, 90, 'A-4'],
    ] as const)
      await insert(id, status, order);
    await move('from-qtask.md');
    const moved = await jobs();
    expect(moved).toMatchObject([
      { type: 'ORDER:BIND', payload: { id: 1 }, key: 'qtask-1', reference: undefined },
      { type: 'ORDER:BIND', payload: { id: 2 }, key: 'qtask-2', reference: 'A-2' },
    ]);
    // To the second, by the server's clock, which is this machine's.
    expect(Math.abs(Number(moved[0]?.dueAt) + 3_600_000 - Date.now())).toBeLessThan(30_000);
    expect(Math.abs(Number(moved[0]?.deadline) - 86_400_000 - Date.now())).toBeLessThan(30_000);
    expect(await fixture.repository.promote(10)).toBe(2);
  });

  it('from aps-go takes over the tasks, as they were set', async () => {
    await fixture.sql(
      'CREATE TABLE task (id INT AUTO_INCREMENT PRIMARY KEY, task_key VARCHAR(63) NOT NULL, execute_func VARCHAR(255) NOT NULL, ' +
        "spec VARCHAR(255) NOT NULL, params VARCHAR(255) NOT NULL DEFAULT '', is_valid INT NOT NULL, status VARCHAR(31) NOT NULL, " +
        "extra VARCHAR(255) NOT NULL DEFAULT '{}', `desc` VARCHAR(255) NOT NULL DEFAULT '')",
    );
    await fixture.sql(
      'INSERT INTO task (task_key, execute_func, spec, params, is_valid, status, extra, `desc`) VALUES ' +
        `('clean', 'clean_carts', '*/5 * * * *', '{"days":30}', 1, 'ready', '{"delay":60}', 'Carts'), ` +
        `('off', 'other', '@every 10s', '', 0, 'ready', '{}', '')`,
    );
    await move('from-aps-go.md');
    expect(await fixture.schedules.list()).toMatchObject([
      {
        name: 'clean',
        type: 'clean_carts',
        spec: '*/5 * * * *',
        timeZone: 'Asia/Shanghai',
        payload: { days: 30 },
        enabled: true,
        alertAfter: 60_000,
        description: 'Carts',
        extra: { delay: 60 },
      },
      { name: 'off', spec: '@every 10s', enabled: false, alertAfter: 3_600_000 },
    ]);
    expect((await fixture.schedules.pending(10)).schedules).toMatchObject([{ name: 'clean' }]);
  });

  it('from vtask takes over what has not begun, with its keyword for ever', async () => {
    await fixture.sql(
      "CREATE TABLE task (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, uuid VARCHAR(64) NOT NULL DEFAULT '', name VARCHAR(64) NOT NULL " +
        "DEFAULT '', step INT NOT NULL, status INT NOT NULL DEFAULT 0, responses TEXT NOT NULL, input TEXT NOT NULL, " +
        "host VARCHAR(64) NOT NULL DEFAULT '', UNIQUE KEY uidx_uuid (uuid))",
    );
    await fixture.sql(
      'INSERT INTO task (uuid, name, step, status, responses, input) VALUES ' +
        `('u-1', 'greet', 1, 0, '', '{"to":"a"}'), ('u-2', 'greet', 2, 0, '', '{"to":"b"}'), ('u-3', 'greet', 1, 1, '', '{}')`,
    );
    await move('from-vtask.md');
    expect(await jobs()).toMatchObject([{ type: 'greet', payload: { to: 'a' }, key: 'u-1' }]);
    const again = await fixture.queue.enqueue('greet', {}, { key: 'u-1' });
    expect(again.created).toBe(false);
    expect(await fixture.sql('SELECT key_scope FROM pq_job')).toEqual([{ key_scope: 'forever' }]);
  });
});
