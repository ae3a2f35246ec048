import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Provider } from '@nestjs/common';
import { InvalidStepError } from '../../lib/errors/invalid-step.error.js';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import type { JobHandlerOptions } from '../../lib/options/handler-options.js';
import type { JobContext } from '../../lib/job/job-context.js';
import { StepRepository } from '../../lib/repository/step-repository.js';
import { ApplicationDataSource } from '../../lib/typeorm/application-data-source.js';
import { QueueConnection } from '../../lib/typeorm/queue-connection.js';
import { SqlStepRepository } from '../../lib/typeorm/sql.step-repository.js';
import { handler, startApp, type AppFixture } from '../support/app-fixture.js';
import { databases, type TestDatabase, type TestSchema } from '../support/databases.js';
import { deferred, waitUntil } from '../support/wait-until.js';

type Work = (payload: never, job: JobContext) => unknown;

const NEXT = { waitTime: 1 } satisfies JobHandlerOptions;

function stepsOn(database: TestDatabase) {
  let schema: TestSchema;
  let service = 0;
  const apps: AppFixture[] = [];
  beforeAll(async () => {
    schema = await database.create();
    await (await schema.connect()).query('CREATE TABLE effect (note VARCHAR(40) NOT NULL)');
  });
  afterEach(() => Promise.all(apps.splice(0).map((app) => app.close())));
  afterAll(() => schema.drop());
  return {
    /** A node of a new service. */
    async start(work: Work, options: JobHandlerOptions = NEXT, overrides: Provider[] = []): Promise<AppFixture> {
      service++;
      return this.startAnother(work, options, overrides);
    },
    /** A node of the service that was started last. */
    async startAnother(work: Work, options: JobHandlerOptions = NEXT, overrides: Provider[] = []): Promise<AppFixture> {
      const queue = { serviceName: `service-${service}`, shutdownTimeout: 5_000, overrides };
      const app = await startApp(schema, { providers: [handler('work', work, options)], queue });
      apps.push(app);
      return app;
    },
  };
}

async function outcomes(app: AppFixture, id: string) {
  return (await app.queue.history(id)).map(({ outcome }) => outcome);
}

describe.each(databases())('job.step() on $name', (database) => {
  const on = stepsOn(database);

  it('runs once, and answers what was saved to every later attempt, as JSON leaves it', async () => {
    const ran: string[] = [];
    const seen: unknown[] = [];
    const app = await on.start(async (_, job) => {
      const at = await job.step('date', () => (ran.push('date'), { at: new Date(0) }));
      const nothing = await job.step('nothing', async () => void ran.push('nothing'));
      seen.push([at, nothing]);
      if (job.attempt < 3) throw new Error('again');
      return job.step('last', () => at.at);
    });
    const { id } = await app.queue.enqueue('work');
    expect(await app.waitFor(id, 'succeeded')).toMatchObject({ result: '1970-01-01T00:00:00.000Z', retries: 2 });
    expect(ran).toEqual(['date', 'nothing']);
    expect(seen).toEqual(Array.from({ length: 3 }, () => [{ at: '1970-01-01T00:00:00.000Z' }, undefined]));
  });

  it('with { transactional: true } commits its writes and its record together, or neither', async () => {
    const app = await on.start(async (_, job) => {
      await job.step(
        'pay',
        async (manager) => {
          await manager.query(`INSERT INTO effect (note) VALUES ('${job.id} in ${job.attempt}')`);
          if (job.attempt === 1) throw new Error('not yet');
        },
        { transactional: true },
      );
      if (job.attempt === 2) throw new Error('after it');
    });
    const { id } = await app.queue.enqueue('work');
    await app.waitFor(id, 'succeeded');
    expect(await app.dataSource.query('SELECT note FROM effect')).toEqual([{ note: `${id} in 2` }]);
    expect(await outcomes(app, id)).toEqual(['retried', 'retried', 'succeeded']);
  });

  it('sleeps without a slot, without using up a retry, and goes on when it is time', async () => {
    const times: number[] = [];
    const app = await on.start(
      async (_, job) => {
        times.push(performance.now());
        await job.sleep('short', 300);
        await job.sleepUntil('past', new Date(0));
      },
      { maxRetries: 0, concurrency: 1 },
    );
    const { id } = await app.queue.enqueue('work');
    expect((await app.waitFor(id, 'scheduled')).retries).toBe(0);
    expect(await app.waitFor(id, 'succeeded')).toMatchObject({ retries: 0 });
    const [began = 0, woke = 0] = times;
    expect(times).toHaveLength(2);
    expect(woke - began).toBeGreaterThanOrEqual(299);
    expect(await outcomes(app, id)).toEqual(['continued', 'succeeded']);
  });

  it('is released by a graceful stop with its result, and the next step runs on another node', async () => {
    const gate = deferred();
    const ran: string[] = [];
    const work = (node: string) => async (_: never, job: JobContext) => {
      await job.step('a', async () => (ran.push(`a on ${node}`), gate.promise));
      await job.step('b', () => ran.push(`b on ${node}`));
    };
    const first = await on.start(work('first'));
    const { id } = await first.queue.enqueue('work');
    await waitUntil(() => ran.length === 1);
    const stopping = first.close();
    const second = await on.startAnother(work('second'));
    gate.resolve();
    await stopping;
    expect(await second.waitFor(id, 'succeeded')).toMatchObject({ retries: 0 });
    expect(ran).toEqual(['a on first', 'b on second']);
    expect(await outcomes(second, id)).toEqual(['released', 'succeeded']);
  });
});

/** What differs between databases in these is held by the contract. */
describe('job.step()', () => {
  const on = stepsOn(databases()[0] as TestDatabase);

  const failure = async (work: Work) => {
    const app = await on.start(work, { maxRetries: 0 });
    const { id } = await app.queue.enqueue('work');
    return (await app.waitFor(id, 'failed')).lastError;
  };

  it('refuses a name that was used before in the run', async () => {
    const ran: number[] = [];
    const error = await failure(async (_, job) => {
      await job.step('mail', () => ran.push(1));
      await job.step('mail', () => ran.push(2));
    });
    expect(error).toMatchObject({
      name: 'InvalidStepError',
      message: expect.stringMatching(/Step 'mail' has a name that was used before.*mail \$\{id\}/),
    });
    expect(ran).toEqual([1]);
  });

  it.each<[string, RegExp, Work]>([
    ['an empty name', /at least one character/, (_, job) => job.step('', () => 1)],
    ['a result that JSON cannot carry', /result that cannot be saved.*Map/, (_, job) => job.step('s', () => new Map())],
    ['a result that is too large', /too large.*1048576/, (_, job) => job.step('s', () => 'x'.repeat(1_100_000))],
    ['an unknown option', /transactional/, (_, job) => job.step('s', () => 1, { transactonal: true } as never)],
    ['a time that is none', /cannot sleep.*'3d'/, (_, job) => job.sleep('s', 'a while')],
    ['a date that is none', /valid Date/, (_, job) => job.sleepUntil('s', new Date(NaN))],
    ['a transaction around it', /outside/, (_, job) => job.transaction(() => job.step('s', () => 1))],
  ])('refuses %s, clearly', async (_, message, work) => {
    expect((await failure(work))?.message).toMatch(message);
  });

  it('that fails is tried again with the next attempt, and its attempts are counted', async () => {
    const app = await on.start(async (_, job) => {
      await job.step('shaky', () => {
        if (job.attempt < 3) throw new Error(`broke ${job.attempt}`);
      });
    });
    const { id } = await app.queue.enqueue('work');
    await app.waitFor(id, 'succeeded');
    expect(await app.dataSource.query('SELECT name, state, attempts FROM pq_step WHERE job_id = ?', [id])).toEqual([
      { name: 'shaky', state: 'succeeded', attempts: 3 },
    ]);
  });

  it('may run beside others; those that nobody waits for are saved before the attempt ends', async () => {
    const ran: string[] = [];
    const app = await on.start(async (_, job) => {
      const all = ['a', 'b', 'c'].map((name) => job.step(name, async () => ran.push(name)));
      if (job.attempt === 1) throw new Error('did not wait');
      await Promise.all(all);
    });
    const { id } = await app.queue.enqueue('work');
    await app.waitFor(id, 'succeeded');
    expect(ran).toEqual(['a', 'b', 'c']);
  });

  it('is not begun after a sleep that somebody has caught: the job sleeps all the same', async () => {
    const ran: string[] = [];
    const caught: unknown[] = [];
    const app = await on.start(async (_, job) => {
      await job.sleep('s', 50).catch((error: unknown) => caught.push(error));
      await job.step('after', () => ran.push(`after ${caught.length}`)).catch((error: unknown) => caught.push(error));
      return 'not the result of the first attempt';
    });
    const { id } = await app.queue.enqueue('work');
    await app.waitFor(id, 'succeeded');
    expect(await outcomes(app, id)).toEqual(['continued', 'succeeded']);
    expect(caught).toHaveLength(2);
    expect(caught).not.toContainEqual(expect.any(InvalidStepError));
    expect(ran).toEqual(['after 2']);
  });

  it('that sleeps cannot be completed by job.transaction() any more', async () => {
    const refusals: string[] = [];
    const app = await on.start(async (_, job) => {
      await job.sleep('s', 30).catch(() => undefined);
      return job
        .transaction(async () => 'too early')
        .catch((error: Error) => {
          refusals.push(error.name);
          throw error;
        });
    });
    const { id } = await app.queue.enqueue('work');
    await app.waitFor(id, 'succeeded');
    expect(refusals).toEqual(['Suspended']);
    expect(await outcomes(app, id)).toEqual(['continued', 'succeeded']);
  });

  it('that has been done is not done again because the database was away: it is saved when that is back', async () => {
    const ran: string[] = [];
    let failures = 3;
    class Flaky extends SqlStepRepository {
      override save(...given: Parameters<SqlStepRepository['save']>): ReturnType<SqlStepRepository['save']> {
        return failures-- > 0 ? Promise.reject(new Error('the server has gone away')) : super.save(...given);
      }
    }
    const app = await on.start(async (_, job) => job.step('s', () => (ran.push('s'), 'result')), NEXT, [
      {
        provide: StepRepository,
        inject: [ApplicationDataSource, QueueConnection],
        useFactory: (application: ApplicationDataSource, connection: QueueConnection) =>
          new Flaky(application, connection),
      },
    ]);
    const errors: string[] = [];
    app.queue.events$.subscribe((event) => event.name === 'database.error' && errors.push(event.error));
    const { id } = await app.queue.enqueue('work');
    expect((await app.waitFor(id, 'succeeded')).result).toBe('result');
    expect(ran).toEqual(['s']);
    expect(errors).toEqual(Array.from({ length: 3 }, () => 'the server has gone away'));
  });

  it('of a cancelled job is not saved, and its signal is aborted', async () => {
    const gate = deferred();
    const aborted: unknown[] = [];
    const events: QueueEvent[] = [];
    const app = await on.start(async (_, job) => {
      job.signal.addEventListener('abort', () => aborted.push(job.signal.reason));
      await job.step('s', () => gate.promise);
    });
    app.queue.events$.subscribe((event) => events.push(event));
    const { id } = await app.queue.enqueue('work');
    await app.waitFor(id, 'running');
    await app.queue.cancel(id);
    gate.resolve();
    await waitUntil(() => events.some(({ name }) => name === 'job.lost'));
    expect(aborted).toMatchObject([{ name: 'LeaseLostError' }]);
    expect(await app.dataSource.query('SELECT * FROM pq_step WHERE job_id = ?', [id])).toEqual([]);
  });

  it('can be where its job is restarted: those before it are not run again', async () => {
    const ran: string[] = [];
    const app = await on.start(async (_, job) => {
      for (const name of ['a', 'b', 'c']) await job.step(name, () => ran.push(name));
    });
    const { id } = await app.queue.enqueue('work');
    await app.waitFor(id, 'succeeded');
    expect(await app.queue.steps(id)).toMatchObject({ total: 3, done: 3, steps: [{ kind: 'call' }, {}, {}] });
    await expect(app.queue.restart(id, { fromStep: 'b', context: {} })).rejects.toThrow(/no context/);
    await app.queue.restart(id, { fromStep: 'b' });
    await app.waitFor(id, 'succeeded');
    expect(ran).toEqual(['a', 'b', 'c', 'b', 'c']);
  });

  it('of a job that was woken too early sleeps on', async () => {
    const attempts: number[] = [];
    const app = await on.start(async (_, job) => {
      attempts.push(performance.now());
      await job.sleep('s', 500);
    });
    const { id } = await app.queue.enqueue('work');
    await app.waitFor(id, 'scheduled');
    await app.queue.runNow(id);
    await app.waitFor(id, 'succeeded');
    expect(attempts).toHaveLength(3);
    expect((attempts[2] ?? 0) - (attempts[0] ?? 0)).toBeGreaterThanOrEqual(499);
  });
});
