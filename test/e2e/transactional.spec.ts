import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { EntityManager } from 'typeorm';
import { JobCompletedError } from '../../lib/errors/job-completed.error.js';
import { LeaseLostError } from '../../lib/errors/lease-lost.error.js';
import { NestedTransactionError } from '../../lib/errors/nested-transaction.error.js';
import { NoJobManagerError } from '../../lib/errors/no-job-manager.error.js';
import { PermanentJobError } from '../../lib/errors/permanent-job.error.js';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import type { JobHandlerOptions } from '../../lib/options/handler-options.js';
import type { JobContext } from '../../lib/job/job-context.js';
import { JobOutcome } from '../../lib/job/job-outcome.js';
import { handler, startApp, type AppFixture } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { deferred, waitUntil } from '../support/wait-until.js';

type Work = (payload: never, job: JobContext) => Promise<unknown>;

describe.each(databases())('effects exactly once on $name', (database) => {
  let schema: TestSchema;
  let app: AppFixture;
  let services = 0;

  beforeAll(async () => {
    schema = await database.create();
    await (await schema.connect()).query('CREATE TABLE effect (job_id BIGINT NOT NULL, note VARCHAR(40) NOT NULL)');
  });
  afterEach(() => app.close());
  afterAll(() => schema.drop());

  async function start(work: Work, options: JobHandlerOptions = {}): Promise<QueueEvent[]> {
    const fast = { waitTime: 1, ...options };
    app = await startApp(schema, {
      providers: [handler('work', work, fast), handler('next', async () => 'ran')],
      queue: { serviceName: `service-${++services}` },
    });
    const events: QueueEvent[] = [];
    app.queue.events$.subscribe((event) => events.push(event));
    return events;
  }

  const write = (manager: EntityManager, { id }: JobContext, note = 'done') =>
    manager.query(`INSERT INTO effect (job_id, note) VALUES (${Number(id)}, '${note}')`);

  async function effects(id: string): Promise<string[]> {
    const rows: { note: string }[] = await app.dataSource.query(`SELECT note FROM effect WHERE job_id = ${Number(id)}`);
    return rows.map(({ note }) => note);
  }

  async function outcomes(id: string) {
    return (await app.queue.history(id)).map(({ outcome }) => outcome);
  }

  it('commits what job.transaction() has written together with the end of the job', async () => {
    await start(async (_, job) => {
      await job.transaction(async (manager) => {
        await write(manager, job);
        return { receipt: 7 };
      });
      return 'this is not the result';
    });
    const { id } = await app.queue.enqueue('work');
    expect(await app.waitFor(id, 'succeeded')).toMatchObject({ result: { receipt: 7 } });
    expect(await effects(id)).toEqual(['done']);
    expect(await outcomes(id)).toEqual(['succeeded']);
  });

  it('rolls back what a failed attempt has written, keeps what it has logged, and tries again', async () => {
    await start(
      async (_, job) => {
        job.log(`attempt ${job.attempt}`);
        await write(job.manager, job, `attempt ${job.attempt}`);
        if (job.attempt === 1) throw new Error('not yet');
      },
      { transactional: true },
    );
    const { id } = await app.queue.enqueue('work');
    await app.waitFor(id, 'succeeded');
    expect(await effects(id)).toEqual(['attempt 2']);
    expect(await outcomes(id)).toEqual(['retried', 'succeeded']);
    expect((await app.queue.log(id)).map(({ message }) => message)).toEqual(['attempt 1', 'attempt 2']);
  });

  it('commits a JobOutcome as any other end, and an enqueue inside joins', async () => {
    const next: string[] = [];
    await start(
      async (_, job) => {
        next.push((await app.queue.enqueue('next')).id);
        await write(job.manager, job, `look ${next.length}`);
        if (next.length === 1) return JobOutcome.continue({ after: 1 });
        throw new PermanentJobError('enough');
      },
      { transactional: true },
    );
    const { id } = await app.queue.enqueue('work');
    await app.waitFor(id, 'failed');
    expect(await effects(id)).toEqual(['look 1']);
    expect(await outcomes(id)).toEqual(['continued', 'failed']);
    const [committed = '', rolledBack = ''] = next;
    expect((await app.waitFor(committed, 'succeeded')).result).toBe('ran');
    expect(await app.queue.get(rolledBack)).toBeUndefined();
  });

  it('a job whose transaction committed never runs again, although its handler throws afterwards', async () => {
    const refused: unknown[] = [];
    const events = await start(async (_, job) => {
      await job.transaction((manager) => write(manager, job));
      await job.transaction((manager) => write(manager, job, 'twice')).catch((error: unknown) => refused.push(error));
      throw new Error('too late');
    });
    const { id } = await app.queue.enqueue('work');
    await waitUntil(() => events.some(({ name }) => name === 'job.succeeded'));
    expect(await effects(id)).toEqual(['done']);
    expect(await outcomes(id)).toEqual(['succeeded']);
    expect(refused).toEqual([expect.any(JobCompletedError)]);
  });

  it('a job whose COMMIT was answered by an error, although it was carried out, never runs again', async () => {
    const tried: unknown[] = [];
    const events = await start(async (_, job) => {
      for (let call = 1; call <= 2; call++) {
        await job
          .transaction(async (manager) => {
            await write(manager, job, `call ${call}`);
            if (call === 1) loseTheAnswer(manager);
          })
          .catch((error: unknown) => tried.push(error));
      }
      throw tried.at(-1);
    });
    const { id } = await app.queue.enqueue('work');
    await waitUntil(() => events.some(({ name }) => name === 'job.lost'));
    expect(tried).toEqual([expect.objectContaining({ message: 'no answer' }), expect.any(LeaseLostError)]);
    expect(await app.queue.get(id)).toMatchObject({ state: 'succeeded' });
    expect(await effects(id)).toEqual(['call 1']);
    expect(await outcomes(id)).toEqual(['succeeded']);
  });

  it('deletes the job in the transaction where it is not kept', async () => {
    await start((_, job) => job.transaction((manager) => write(manager, job)), { retention: { succeeded: 0 } });
    const { id } = await app.queue.enqueue('work');
    await waitUntil(async () => (await app.queue.get(id)) === undefined);
    expect(await effects(id)).toEqual(['done']);
  });

  it('says what is wrong with a manager outside of a transaction, and with a transaction inside of another', async () => {
    const errors: unknown[] = [];
    await start(async (_, job) => {
      try {
        expect(job.manager).toBe('never');
      } catch (error) {
        errors.push(error);
      }
      const nested = () => app.queue.transaction(() => job.transaction((manager) => write(manager, job)));
      await nested().catch((error: unknown) => errors.push(error));
      return Object.keys({ ...job });
    });
    const { id } = await app.queue.enqueue('work');
    expect(await app.waitFor(id, 'succeeded')).toMatchObject({ result: expect.arrayContaining(['transaction']) });
    expect(errors).toEqual([expect.any(NoJobManagerError), expect.any(NestedTransactionError)]);
    expect(await effects(id)).toEqual([]);
  });

  // SQLite has one writer: there a cancel waits for the transaction, and finds the job done.
  const concurrent = database.capabilities.concurrentWriters ? it : it.skip;

  concurrent(
    'rolls back when the job is cancelled meanwhile, and holds no lock on its row before its end',
    async () => {
      const begun = deferred<JobContext>();
      const release = deferred();
      const errors: unknown[] = [];
      await start(async (_, job) => {
        const transaction = job.transaction(async (manager) => {
          await write(manager, job);
          begun.resolve(job);
          await release.promise;
        });
        await transaction.catch((error: unknown) => errors.push(error));
      });
      const { id } = await app.queue.enqueue('work');
      await begun.promise;
      await app.queue.cancel(id);
      release.resolve();
      await waitUntil(() => errors.length > 0);
      expect(errors).toEqual([expect.any(LeaseLostError)]);
      expect(await app.queue.get(id)).toMatchObject({ state: 'cancelled' });
      expect(await effects(id)).toEqual([]);
    },
  );
});

/** The server commits, and the network swallows its answer. */
function loseTheAnswer({ queryRunner }: EntityManager): void {
  if (queryRunner === undefined) throw new Error('no runner');
  const commit = queryRunner.commitTransaction.bind(queryRunner);
  queryRunner.commitTransaction = async () => {
    queryRunner.commitTransaction = commit;
    await commit();
    throw new Error('no answer');
  };
}
