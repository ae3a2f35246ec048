import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { databases, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';
import { waitUntil } from '../support/wait-until.js';
import { WorkerProcess } from '../support/worker-process.js';

const BEAT = 1_000;
/** For the message between two processes on a busy machine. */
const SLACK = 250;

describe.each(databases())('an operator of a worker process on $name', (database) => {
  let schema: TestSchema;
  let queue: QueueFixture;
  let worker: WorkerProcess;

  beforeAll(async () => {
    schema = await database.create();
    const dataSource = await schema.connect();
    await dataSource.query('CREATE TABLE ledger (job_id BIGINT NOT NULL, pid BIGINT NOT NULL)');
    queue = new QueueFixture(dataSource, {});
    await queue.repository.open();
    worker = await WorkerProcess.start(schema.options, {
      lease: { duration: 3 * BEAT, beat: BEAT },
      connections: { max: 3 },
      concurrency: 1,
    });
  });
  afterEach(() => expect(worker.isRunning).toBe(true));
  afterAll(async () => {
    await worker.kill();
    await queue.close();
    await schema.drop();
  });

  it('cancels its running job: the signal is aborted within one beat, what it answers changes nothing', async () => {
    const { id } = await queue.queue.enqueue('ledger', { ms: 60_000 });
    await waitUntil(() => worker.started.includes(id));
    await queue.queue.cancel(id);
    const cancelledAt = performance.now();
    expect((await queue.queue.get(id))?.state).toBe('cancelled');
    await waitUntil(() => worker.aborted.includes(id), { describe: 'the signal to be aborted' });
    const took = performance.now() - cancelledAt;
    console.info(`${database.name}: the signal was aborted after ${took.toFixed(0)} ms`);
    expect(took).toBeLessThan(BEAT + SLACK);
    const { id: next } = await queue.queue.enqueue('ledger', {});
    expect((await queue.queue.waitFor(next)).state).toBe('succeeded');
    expect(await queue.queue.get(id)).toMatchObject({ state: 'cancelled', result: undefined, fence: 2 });
  });

  it('pauses a type in a burst: nothing starts after one beat, and resume goes on in order', async () => {
    const jobs = Array.from({ length: 120 }, () => ({ payload: { ms: 20 } }));
    const enqueued = await queue.queue.enqueueMany('ledger', jobs);
    const before = worker.started.length;
    await waitUntil(() => worker.started.length > before);
    await queue.queue.pause('ledger');
    await pause(BEAT);
    const startedWithinOneBeat = worker.started.length;
    await pause(BEAT);
    expect(worker.started).toHaveLength(startedWithinOneBeat);
    await queue.queue.resume('ledger');
    await queue.queue.waitFor(enqueued.at(-1)?.id ?? '');
    const ids = enqueued.map(({ id }) => id);
    await waitUntil(() => worker.started.length - before === ids.length);
    expect(worker.started.slice(before)).toEqual(ids);
  });
});
