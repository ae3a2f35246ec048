import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { databases } from '../support/databases.js';
import { DoctorFixture } from '../support/doctor-fixture.js';
import { newSchedule } from '../support/new-schedule.js';
import { success } from '../support/queue-fixture.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe.each(databases())('the doctor looks at the queue on $name', (database) => {
  const doctor = new DoctorFixture(database);
  const isServer = database.name !== 'sqlite';
  afterEach(async () => {
    jest.restoreAllMocks();
    for (const table of ['job', 'node', 'pause', 'attempt', 'schedule', 'firing'])
      await doctor.sql(`DELETE FROM pq_${table}`);
  });

  /** As if it were so many milliseconds later. */
  async function age(table: string, column: string, milliseconds: number): Promise<void> {
    await doctor.sql(`UPDATE pq_${table} SET ${column} = ${column} - ${milliseconds}`);
  }

  const node = (type = 't') => doctor.queue.registerNode('host:1', type);

  it('and finds nothing wrong where jobs run', async () => {
    const id = await node();
    await doctor.queue.queue.enqueue('t');
    await doctor.queue.repository.settle([success(await doctor.queue.claimOne(id, 't'))], 'host:1');
    await doctor.queue.queue.enqueue('t');
    await doctor.queue.claimOne(id, 't');
    const findings = await doctor.examine();
    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
    expect(new Set(findings.map(({ check }) => check)).size).toBe(findings.length);
    expect(findings.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['nodes.alive', 'jobs.failures', 'schedules.late']),
    );
  });

  it('and finds that no node is alive', async () => {
    expect(await doctor.look('nodes.alive')).toEqual(['warning: No node of the service is alive: no job of it runs.']);
  });

  it('and finds a node that was killed: first silent, then nobody looks for it', async () => {
    const id = await node();
    await doctor.queue.queue.enqueue('t');
    await doctor.queue.claimOne(id, 't');
    await age('node', 'expires_at', 20_000);
    expect(await doctor.look('nodes.silent')).toEqual([
      expect.stringMatching(/^warning: The node host:1#\d+ has not beaten since its lease ran out .* it holds 1 jobs/),
    ]);
    await age('node', 'expires_at', 90_000);
    expect(await doctor.look('nodes.silent')).toEqual([expect.stringMatching(/^error: /)]);
  });

  it('and finds jobs of a dead node, and of one that is forgotten', async () => {
    const id = await node();
    await doctor.queue.queue.enqueue('t');
    await doctor.queue.claimOne(id, 't');
    await doctor.sql("UPDATE pq_node SET state = 'dead'");
    expect(await doctor.look('nodes.dead')).toEqual([
      expect.stringMatching(/^warning: The node host:1#\d+ is dead and still holds 1 jobs/),
    ]);
    await doctor.sql('DELETE FROM pq_node');
    expect(await doctor.look('nodes.dead')).toEqual([
      expect.stringMatching(/^error: The node #\d+ is dead and still holds 1 jobs/),
    ]);
  });

  it.each([
    { by: 5_000, level: 'warning', says: /5 s ahead of/ },
    { by: -2 * HOUR, level: 'error', says: /2 h behind/ },
  ])('and finds a clock that is wrong by $by ms', async ({ by, level, says }) => {
    const { now } = Date;
    jest.spyOn(Date, 'now').mockImplementation(() => now() + by);
    await node();
    const process = await doctor.look('clock.process');
    jest.restoreAllMocks();
    const nodes = await doctor.look('clock.nodes');
    // SQLite has no clock but that of its process.
    expect([...process, ...nodes]).toHaveLength(isServer ? 2 : 0);
    for (const verdict of [...process, ...nodes]) {
      expect(verdict).toMatch(new RegExp(`^${level}: The clock of `));
      expect(verdict).toMatch(says);
    }
  });

  it('and finds types and other services that wait for a node', async () => {
    await node('other');
    await doctor.queue.queue.enqueue('t');
    expect(await doctor.look('jobs.unhandled-types')).toEqual([
      "error: Types with waiting jobs that no living node runs: 't'.",
    ]);
    expect(await doctor.look('jobs.unhandled-services')).toEqual([expect.stringMatching(/^ok/)]);
    await doctor.sql("INSERT INTO pq_job (service, type, payload) VALUES ('elsewhere', 't', '{}')");
    expect(await doctor.look('jobs.unhandled-services')).toEqual([
      "warning: Other services with waiting jobs and no living node: 'elsewhere'.",
    ]);
  });

  it('and finds what has waited for long: of each type that is not paused the oldest, whatever its priority', async () => {
    await node();
    await doctor.queue.queue.enqueue('t', {}, { priority: 3 });
    await doctor.queue.queue.enqueue('paused');
    await age('job', 'due', 10 * 60_000);
    await doctor.queue.queue.enqueue('t');
    await doctor.queue.queue.pause('paused');
    expect(await doctor.look('jobs.oldest-due')).toEqual([
      expect.stringMatching(/^warning: The oldest waiting job of 't', \d+, has been due for 10 min/),
    ]);
    expect(await doctor.look('jobs.paused')).toEqual(["warning: Paused types with due jobs: 'paused'."]);
    await age('job', 'due', 2 * HOUR);
    expect(await doctor.look('jobs.oldest-due')).toEqual([expect.stringMatching(/^error: .* has been due for 2.2 h/)]);
  });

  it('and finds scheduled jobs that nobody makes ready', async () => {
    await doctor.queue.queue.enqueue('t', {}, { delay: '1s' });
    expect(await doctor.look('jobs.unpromoted')).toEqual([expect.stringMatching(/^ok/)]);
    await age('job', 'due', 10 * 60_000);
    expect(await doctor.look('jobs.unpromoted')).toEqual([
      expect.stringMatching(/^error: A scheduled job has been due for 10 min/),
    ]);
  });

  it('and finds that many of the last day failed', async () => {
    const id = await node();
    await doctor.queue.queue.enqueueMany('t', [{ payload: 1 }, { payload: 2 }, { payload: 3 }]);
    const [first, ...others] = (await doctor.queue.claim(id, 't')).map((job) => success(job));
    const failed = { ...first!, state: 'failed' as const };
    await doctor.queue.repository.settle(others, 'host:1');
    expect(await doctor.look('jobs.failures')).toEqual([expect.stringMatching(/^ok: Of the last 2 jobs .* 0 failed/)]);
    await doctor.queue.repository.settle(
      [{ ...failed, attempt: failed.attempt && { ...failed.attempt, outcome: 'failed', reason: 'error' } }],
      'host:1',
    );
    expect(await doctor.look('jobs.failures')).toEqual([
      expect.stringMatching(/^warning: Of the last 3 jobs .* 1 failed/),
    ]);
    await age('attempt', 'ended_at', 2 * DAY);
    expect(await doctor.look('jobs.failures')).toEqual([expect.stringMatching(/^ok: Of the last 0 jobs/)]);
  });

  it('and finds schedules that are late, cannot fire or are not fired, and changes nothing', async () => {
    await doctor.queue.schedules.save(newSchedule({ name: 'late', alertAfter: HOUR }));
    await doctor.queue.schedules.save(newSchedule({ name: 'broken' }));
    const ms = 'planned_spec = spec, planned_zone = time_zone, planned_at = created_at, next_fire = created_at + 60000';
    await doctor.sql(`UPDATE pq_schedule SET ${ms}`);
    expect(await doctor.look('schedules.late')).toEqual(['ok: No schedule is late.']);
    expect(await doctor.look('schedules.broken')).toEqual(['ok: Enabled schedules that fire in time: 2.']);
    await doctor.sql(`UPDATE pq_schedule SET planned_at = planned_at - ${2 * HOUR} WHERE name = 'late'`);
    await doctor.sql("UPDATE pq_schedule SET broken = 'no such zone' WHERE name = 'broken'");
    const late = ["error: Schedules without a success for longer than their alertAfter: 'late'."];
    expect(await doctor.look('schedules.late')).toEqual(late);
    expect(await doctor.look('schedules.late')).toEqual(late);
    expect(await doctor.queue.schedules.lateness()).toEqual([expect.objectContaining({ name: 'late', late: true })]);
    expect(await doctor.look('schedules.late')).toEqual(late);
    await doctor.sql(`UPDATE pq_schedule SET next_fire = next_fire - ${HOUR} WHERE name = 'late'`);
    expect((await doctor.look('schedules.broken')).toSorted()).toEqual([
      "error: The schedule 'broken' cannot fire: no such zone.",
      expect.stringMatching(/^error: The schedule 'late' should have fired \d+(\.\d)? (min|h) ago/),
    ]);
  });
});
