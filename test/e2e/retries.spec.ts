import { describe, expect, it } from '@jest/globals';
import type { JobContext } from '../../lib/job/job-context.js';
import { JobOutcome } from '../../lib/job/job-outcome.js';
import { handler } from '../support/app-fixture.js';
import { databases } from '../support/databases.js';
import { NodesOn } from '../support/nodes-on.js';
import { deferred, waitUntil } from '../support/wait-until.js';

const BEATEN = (service: string) => `SELECT beat_at - registered_at AS ms FROM pq_node WHERE service = '${service}'`;

/** Ways in which other queues have forgotten, miscounted or overruled an attempt: docs/seed-defects.md. */
describe.each(databases())('retries on $name', (database) => {
  const nodes = new NodesOn(database);

  it.each([
    [0, 1],
    [1, 2],
  ])(
    'are %d with maxRetries, so that there are %d calls; then the job is failed, also after a restart',
    async (maxRetries, executions) => {
      const calls = { throws: 0, asks: 0 };
      const throws = () => {
        calls.throws++;
        throw new Error('no');
      };
      const asks = () => {
        calls.asks++;
        return JobOutcome.retry({ after: 1, reason: 'busy' });
      };
      const options = { maxRetries, waitTime: 1 };
      const start = () =>
        nodes.start({
          providers: [handler('throws', throws, options), handler('asks', asks, options), handler('t', () => 1)],
        });
      const app = await start();
      const jobs = [await app.queue.enqueue('throws'), await app.queue.enqueue('asks')];
      for (const { id } of jobs) expect(await app.waitFor(id, 'failed')).toMatchObject({ retries: maxRetries });
      await app.close();
      const again = await start();
      await again.waitFor((await again.queue.enqueue('t')).id, 'succeeded');
      for (const { id } of jobs) expect(await again.queue.get(id)).toMatchObject({ state: 'failed' });
      expect(calls).toEqual({ throws: executions, asks: executions });
    },
  );

  it('are counted and waited for in the database: a restart forgets none, and makes none come sooner', async () => {
    const attempts: number[] = [];
    const work = (_: never, { attempt }: JobContext) => {
      attempts.push(attempt);
      throw new Error(`no ${attempt}`);
    };
    const start = () =>
      nodes.start({
        providers: [handler('flaky', work, { maxRetries: 1, waitTime: '1h' }), handler('t', () => 1)],
        queue: { shutdownTimeout: '1h' },
      });
    const first = await start();
    const { id } = await first.queue.enqueue('flaky');
    const { dueAt } = await first.waitFor(id, 'scheduled');
    // The wait is no handler's: nothing holds up the stop.
    await first.close();
    const second = await start();
    await second.waitFor((await second.queue.enqueue('t')).id, 'succeeded');
    expect(await second.queue.get(id)).toMatchObject({ state: 'scheduled', dueAt, lastError: { message: 'no 1' } });
    await second.queue.runNow(id);
    await second.waitFor(id, 'failed');
    expect(attempts).toEqual([1, 2]);
  });

  it('without a wait come at once', async () => {
    const work = (_: never, { attempt }: JobContext) => {
      if (attempt < 4) throw new Error('no');
      return 'ran';
    };
    const app = await nodes.start({ providers: [handler('t', work, { waitTime: 0 })] });
    expect(await app.waitFor((await app.queue.enqueue('t')).id, 'succeeded')).toMatchObject({ retries: 3 });
  });

  it('that run as the last one, and past the deadline meanwhile, succeed when they do', async () => {
    const gate = deferred();
    const work = async (_: never, { attempt }: JobContext) => {
      if (attempt === 1) throw new Error('no');
      await gate.promise;
      return 'ran';
    };
    const options = { maxRetries: 1, waitTime: 1 };
    const queue = { lease: { duration: 500, beat: 100, thread: false } };
    const start = () => nodes.start({ providers: [handler('last', work, options)], queue });
    const [app] = await Promise.all([start(), start()]);
    const { id } = await app.queue.enqueue('last');
    await waitUntil(async () => {
      const job = await app.queue.get(id);
      return job?.retries === 1 && job.state === 'running';
    });
    await nodes.sql(app, `UPDATE pq_job SET deadline = 1 WHERE id = ${id}`);
    // Both may look after the service when they have beaten for a lease, and have looked then.
    await waitUntil(async () => {
      const beaten = await nodes.sql<{ ms: string }>(app, BEATEN(nodes.service));
      return beaten.length === 2 && beaten.every(({ ms }) => Number(ms) > 1_200);
    });
    gate.resolve();
    expect(await app.waitFor(id, 'succeeded', 'failed')).toMatchObject({ state: 'succeeded', result: 'ran' });
  });
});
