import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { QueueInspector } from '../../lib/inspection/queue-inspector.js';
import { ScheduleRepository } from '../../lib/repository/schedule-repository.js';
import { Schedules } from '../../lib/schedule/schedules.js';
import { JobStep, MultiStepJob } from '../../lib/steps/multi-step-job.decorator.js';
import { handler, startApp, type AppFixture } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { testedApp, closeTestedApps } from '../support/testing-fixture.js';
import { deferred, waitUntil } from '../support/wait-until.js';

@MultiStepJob('bake', { maxCrashes: 2 })
class Baking {
  @JobStep({ order: 1 })
  knead(): void {}
}

describe.each(databases().filter(({ name }) => name === 'sqlite'))('an application that is looked at', (database) => {
  let schema: TestSchema;
  let fixture: AppFixture | undefined;
  beforeAll(async () => {
    schema = await database.create();
  });
  afterEach(async () => {
    await fixture?.close();
    fixture = undefined;
  });
  afterAll(() => schema.drop());

  it('tells what its handlers may, what they do, and what a job waits for behind them', async () => {
    const { promise, resolve } = deferred();
    const slow = handler('slow', () => promise, { concurrency: 2, deadline: '1h' });
    fixture = await startApp(schema, { providers: [slow, Baking], queue: { concurrency: 7 } });
    const { app, queue } = fixture;
    const inspector = app.get(QueueInspector);
    await queue.enqueueMany('slow', [{ payload: 1 }, { payload: 2 }]);
    await waitUntil(async () => (await inspector.nodes())[0]?.running === 2);
    const [node, ...others] = await inspector.nodes();
    expect(others).toEqual([]);
    expect(node).toMatchObject({ state: 'alive', concurrency: 7 });
    expect(node?.types).toEqual([
      { type: 'slow', concurrency: 2, maxCrashes: 3, deadline: 3_600_000, running: 2 },
      { type: 'bake', concurrency: 100, maxCrashes: 2, deadline: undefined, running: 0 },
    ]);
    await queue.pause('slow');
    const { id } = await queue.enqueue('slow');
    const full = { reason: 'concurrency-full', nodes: [{ node: node?.name, running: 2, limit: 2 }] };
    expect((await inspector.explain(id)).reasons).toEqual([{ reason: 'paused' }, full]);
    expect(await inspector.oldestDue()).toMatchObject([{ type: 'slow', id }]);
    expect(await inspector.types()).toEqual(['bake', 'slow']);
    await queue.resume('slow');
    resolve(undefined);
    await fixture.waitFor(id, 'succeeded');
    expect((await queue.remove({ type: 'slow' })) > 0).toBe(true);
  });
});

describe('an application under test', () => {
  afterEach(closeTestedApps);

  it('is looked at as any other', async () => {
    const { app, jobQueue, queue } = await testedApp({ providers: [handler('t', () => 1)] });
    const inspector = app.get(QueueInspector);
    const { id } = await jobQueue.enqueue('t', 1, { delay: '1h' });
    expect((await inspector.explain(id)).reasons.map(({ reason }) => reason)).toEqual(['not-due']);
    queue.clock.advance('30m');
    expect((await inspector.explain(id)).reasons.map(({ reason }) => reason)).toEqual(['not-due']);
    await queue.drain({ until: '30m' });
    expect((await inspector.explain(id)).reasons).toEqual([{ reason: 'ended', state: 'succeeded' }]);
    expect((await inspector.nodes())[0]?.types).toMatchObject([{ type: 't', concurrency: 100 }]);
    await jobQueue.remove(id);
    expect(await jobQueue.get(id)).toBeUndefined();
  });

  it('has no schedule that is late because the jobs that have succeeded were removed', async () => {
    const { app, jobQueue, queue } = await testedApp({ providers: [handler('t', () => 1)] });
    queue.clock.set(new Date('2030-01-01T00:10:00Z'));
    await app.get(Schedules).upsert('hourly', { spec: '@every 1h', type: 't', alertAfter: '2h' });
    await queue.drain({ until: '90m' });
    expect(await jobQueue.remove({ type: 't' })).toBe(1);
    queue.clock.advance('1h');
    expect(await app.get(ScheduleRepository).lateNow()).toEqual([]);
    queue.clock.advance('1h');
    expect(await app.get(ScheduleRepository).lateNow()).toMatchObject([{ name: 'hourly', late: true }]);
  });
});
