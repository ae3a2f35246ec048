import { Controller, Get, Inject, type INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { HealthCheck, HealthCheckService, TerminusModule, type HealthCheckResult } from '@nestjs/terminus';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { JobRepository, PersistentQueueModule, QueueInspector } from '../../lib/index.js';
import { PersistentQueueHealthIndicator, PersistentQueueHealthModule } from '../../lib/health/index.js';
import { NodeLease } from '../../lib/node/node-lease.js';
import { SqlJobRepository } from '../../lib/typeorm/sql.job-repository.js';
import { AppFixture, compileApp, handler, QUICK, type AppOptions } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { Relay } from '../support/relay.js';
import { deferred, waitUntil } from '../support/wait-until.js';

const TIMEOUT = 500;

@Controller()
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly queue: PersistentQueueHealthIndicator,
  ) {}

  @Get('health')
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.queue.check('queue', { oldestDue: '1m', timeout: TIMEOUT })]);
  }

  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.queue.isReady('queue', { timeout: TIMEOUT })]);
  }

  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([() => this.queue.isAlive('queue')]);
  }
}

interface Answer {
  readonly code: number;
  readonly took: number;
  readonly queue: Record<string, Record<string, unknown>> & { message?: string };
}

describe.each(databases().filter(({ name }) => name !== 'mysql'))('/health on $name', (database) => {
  let schema: TestSchema;
  let fixture: AppFixture;
  let url: string;
  let services = 0;
  const open: INestApplication[] = [];
  beforeAll(async () => {
    schema = await database.create();
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    for (const app of open.splice(0)) await app.close();
  });
  afterAll(() => schema.drop());

  async function start(options: AppOptions = {}, on: TestSchema = schema): Promise<void> {
    const module = await compileApp(on, {
      imports: [TerminusModule.forRoot({ logger: false }), PersistentQueueHealthModule.forRoot()],
      controllers: [HealthController],
      ...options,
      queue: { serviceName: `service-${++services}`, ...options.queue },
    });
    const app = module.createNestApplication(new ExpressAdapter());
    open.push(app);
    await app.listen(0, '127.0.0.1');
    fixture = new AppFixture(app);
    url = await app.getUrl();
  }

  async function ask(path: string): Promise<Answer> {
    const began = performance.now();
    const response = await fetch(`${url}/${path}`);
    const { details } = (await response.json()) as { details: { queue: Answer['queue'] } };
    return { code: response.status, took: performance.now() - began, queue: details.queue };
  }

  async function become(path: string, code: number): Promise<Answer> {
    let answer: Answer | undefined;
    const isSo = async () => ((answer = await ask(path)).code === code ? answer : undefined);
    const waitedFor = () => `/${path} to answer ${code}; it is ${JSON.stringify(answer)}`;
    return (await waitUntil(isSo, { timeout: 25_000, describe: waitedFor })) as Answer;
  }

  it('is up, with every part, when jobs run', async () => {
    await start({ providers: [handler('t', () => 'done')] });
    await fixture.waitFor((await fixture.queue.enqueue('t')).id, 'succeeded');
    const { code, queue } = await ask('health');
    expect(code).toBe(200);
    expect(queue).toEqual({
      status: 'up',
      service: `service-${services}`,
      database: { status: 'up', took: expect.any(Number) },
      node: { status: 'up', name: expect.stringMatching(/:\d+#\d+$/), sinceBeat: expect.any(Number) },
      oldestDue: { status: 'up', limit: 60_000 },
      unhandledTypes: { status: 'up', types: [] },
      lateSchedules: { status: 'up', schedules: [] },
    });
    expect((await ask('ready')).code).toBe(200);
    expect((await ask('live')).code).toBe(200);
  });

  it('is down for a type without a handler; but this process is ready and alive', async () => {
    await start();
    await fixture.queue.enqueue('nobodys');
    const { queue } = await become('health', 503);
    expect(queue).toMatchObject({
      status: 'down',
      message: 'down: unhandledTypes',
      unhandledTypes: { status: 'down', types: ['nobodys'] },
    });
    expect((await ask('ready')).code).toBe(200);
    expect((await ask('live')).code).toBe(200);
  });

  it('is down for a job that has been due for too long, unless its type is paused', async () => {
    const end = deferred();
    await start({ providers: [handler('t', () => end.promise, { concurrency: 1 })] });
    await fixture.waitFor((await fixture.queue.enqueue('t')).id, 'running');
    const { id } = await fixture.queue.enqueue('t');
    expect((await become('health', 200)).queue.oldestDue?.status).toBe('up');
    await fixture.dataSource.query(`UPDATE pq_job SET due = due - 90000 WHERE id = ${id}`);
    const { queue } = await become('health', 503);
    expect(queue).toMatchObject({
      message: 'down: oldestDue',
      oldestDue: { status: 'down', type: 't', id, limit: 60_000 },
    });
    await fixture.queue.pause('t');
    await become('health', 200);
    await fixture.queue.resume('t');
    end.resolve();
    await fixture.waitFor(id, 'succeeded');
  });

  it('is down for a schedule that is late', async () => {
    await start({ providers: [handler('t', () => 'done')] });
    const inserted = "'late', '@every 1h', 't', 60000, '@every 1h', 'UTC', 1, 4000000000000";
    await fixture.dataSource.query(
      'INSERT INTO pq_schedule (service, name, spec, type, alert_after, planned_spec, planned_zone, planned_at, next_fire) ' +
        `VALUES ('service-${services}', ${inserted})`,
    );
    expect((await become('health', 503)).queue).toMatchObject({
      message: 'down: lateSchedules',
      lateSchedules: { status: 'down', schedules: ['late'] },
    });
    await fixture.dataSource.query('DELETE FROM pq_schedule');
    await become('health', 200);
  });

  it('is down while the node is dead, and ready again when it has registered anew; it is alive all the time', async () => {
    let refused = false;
    class Refusing extends SqlJobRepository {
      override async registerNode(...node: Parameters<SqlJobRepository['registerNode']>): Promise<string> {
        if (refused) throw new Error('not now');
        return super.registerNode(...node);
      }
    }
    const overrides = [{ provide: JobRepository, useClass: Refusing }];
    await start({ modules: [PersistentQueueModule.forRoot({ ...QUICK, overrides, serviceName: 'dead' })] });
    await become('ready', 200);
    refused = true;
    await fixture.dataSource.query("UPDATE pq_node SET state = 'dead' WHERE service = 'dead'");
    const { queue } = await become('ready', 503);
    expect(queue).toMatchObject({ node: { status: 'down', reason: expect.stringContaining('found dead') } });
    expect((await ask('health')).queue.message).toBe('down: node');
    expect((await ask('live')).code).toBe(200);
    refused = false;
    await become('ready', 200);
    await become('health', 200);
  });

  it('asks the database once, however many ask', async () => {
    await start();
    await ask('health');
    const inspector = fixture.app.get(QueueInspector);
    const paused = jest.spyOn(inspector, 'pausedTypes');
    const due = jest.spyOn(inspector, 'oldestDue');
    const answers = await Promise.all(Array.from({ length: 60 }, (_, n) => ask(n % 2 === 0 ? 'health' : 'ready')));
    expect(answers.map(({ code }) => code)).toEqual(answers.map(() => 200));
    // The second may have passed once, on a slow machine several times.
    expect(paused.mock.calls.length).toBeLessThan(10);
    expect(due.mock.calls.length).toBeLessThan(10);
  });

  it('says of a process that runs no jobs that it has no node', async () => {
    await start({ queue: { roles: ['enqueue'] } });
    expect((await ask('health')).queue.node).toEqual({ status: 'none', reason: 'this process only enqueues' });
    expect((await ask('ready')).code).toBe(200);
    expect((await ask('live')).code).toBe(200);
  });

  it('is not alive when its heartbeat does not even fail any more, and not ready when that is too old', async () => {
    await start();
    const lease = fixture.app.get<NodeLease>(NodeLease, { strict: false });
    jest.spyOn(lease, 'sinceTurn', 'get').mockReturnValue(200_000);
    jest.spyOn(lease, 'sinceBeat', 'get').mockReturnValue(200_000);
    expect((await ask('live')).queue.node).toMatchObject({
      status: 'down',
      reason: expect.stringMatching(/200000 ms/),
    });
    expect((await ask('ready')).queue.node).toMatchObject({ status: 'down', reason: expect.stringMatching(/3000 ms/) });
    const indicator = fixture.app.get(PersistentQueueHealthIndicator, { strict: false });
    expect(await indicator.isReady('queue', { nodeBeat: '5m' })).toMatchObject({ queue: { status: 'up' } });
  });

  it('is not ready before start()', async () => {
    await start({ queue: { autoStart: false } });
    expect((await ask('ready')).queue).toMatchObject({ message: 'down: node', node: { status: 'down' } });
    expect((await ask('live')).code).toBe(200);
    await fixture.start();
    await become('ready', 200);
  });

  if (database.name === 'sqlite') return;

  it.each(['cut', 'silence'] as const)(
    'is down within its timeout while the database is gone (%s), and up when it is back; it is alive all the time',
    async (how) => {
      const relay = await Relay.start(schema.options);
      try {
        await start({}, { ...schema, options: relay.options });
        await become('health', 200);
        relay[how]();
        const { queue } = await become('health', 503);
        expect(queue.database?.status).toBe('down');
        for (const path of ['health', 'ready', 'health']) {
          const { code, took } = await ask(path);
          expect([code, took < TIMEOUT + 1_000]).toEqual([503, true]);
        }
        const alive = await ask('live');
        expect([alive.code, alive.took < TIMEOUT]).toEqual([200, true]);
        relay.restore();
        await become('ready', 200);
        await become('health', 200);
      } finally {
        for (const app of open.splice(0)) await app.close();
        relay.close();
      }
    },
    60_000,
  );
});

describe('PersistentQueueHealthModule', () => {
  let schema: TestSchema;
  beforeAll(async () => {
    schema = (await databases()
      .find(({ name }) => name === 'sqlite')
      ?.create()) as TestSchema;
  });
  afterAll(() => schema.drop());

  it('looks at the queue that is named, under a token of its own', async () => {
    class Reports {
      constructor(readonly indicator: PersistentQueueHealthIndicator) {}
    }
    Inject('PersistentQueueHealthIndicator:reports')(Reports, undefined, 0);
    const module = await compileApp(schema, {
      modules: [
        PersistentQueueModule.forRoot({ ...QUICK, serviceName: 'main' }),
        PersistentQueueModule.forRoot({ ...QUICK, name: 'reports', serviceName: 'reports', autoStart: false }),
      ],
      imports: [PersistentQueueHealthModule.forRoot(), PersistentQueueHealthModule.forRoot({ queue: 'reports' })],
      providers: [Reports],
    });
    await module.init();
    const main = await module.get(PersistentQueueHealthIndicator, { strict: false }).isReady();
    expect(main['persistent-queue']).toMatchObject({ status: 'up', service: 'main' });
    const reports = await module.get(Reports).indicator.isReady('reports');
    expect(reports.reports).toMatchObject({ status: 'down', service: 'reports' });
    await module.close();
  });

  it('says at boot that there is no such queue, and names an option that does not exist', async () => {
    const imports = [PersistentQueueHealthModule.forRoot({ queue: 'nowhere' })];
    const module = await compileApp(schema, { imports });
    await expect(module.init()).rejects.toThrow(/queue.*'nowhere'.*Import PersistentQueueModule.forRoot/s);
    await module.close();
    const good = await compileApp(schema, { imports: [PersistentQueueHealthModule.forRoot()] });
    await good.init();
    const indicator = good.get(PersistentQueueHealthIndicator, { strict: false });
    await expect(indicator.check('queue', { oldestdue: 5 } as object)).rejects.toThrow(/oldestDue/);
    await expect(indicator.check('queue', { timeout: 'soon' })).rejects.toThrow(/timeout.*'soon'/s);
    await good.close();
  });
});
