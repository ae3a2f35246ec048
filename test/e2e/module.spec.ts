import {
  Inject,
  Injectable,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { PermanentJobError } from '../../lib/errors/permanent-job.error.js';
import { QueueInspector } from '../../lib/inspection/queue-inspector.js';
import { JobHandler } from '../../lib/handler/job-handler.decorator.js';
import { PersistentQueueModule } from '../../lib/persistent-queue.module.js';
import { ResolvedOptions } from '../../lib/options/resolved-options.js';
import { PersistentQueue } from '../../lib/persistent-queue.js';
import { Poller } from '../../lib/poller/poller.js';
import { InjectJobQueue } from '../../lib/queue/inject-job-queue.decorator.js';
import { JobQueue } from '../../lib/queue/job-queue.js';
import { JobRepository } from '../../lib/repository/job-repository.js';
import { WorkerPool } from '../../lib/worker/worker-pool.js';
import { SqlJobRepository } from '../../lib/typeorm/sql.job-repository.js';
import { handler, QUICK, startApp, type AppFixture, type AppOptions } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { waitUntil } from '../support/wait-until.js';

@Injectable()
class DenyEverything implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

describe.each(databases().filter(({ name }) => name === 'sqlite'))('the module', (database) => {
  let schema: TestSchema;
  let fixture: AppFixture | undefined;
  let services = 0;
  beforeAll(async () => {
    schema = await database.create();
  });
  afterEach(async () => {
    await fixture?.close();
    fixture = undefined;
  });
  afterAll(() => schema.drop());

  async function start(options: AppOptions): Promise<AppFixture> {
    fixture = await startApp(schema, { ...options, queue: { serviceName: `service-${++services}`, ...options.queue } });
    return fixture;
  }

  it('takes its options from a factory', async () => {
    @Injectable()
    class Settings {
      readonly service = 'from a factory';
    }
    const named = PersistentQueueModule.forRootAsync({
      name: 'second',
      overrides: [Settings],
      inject: [Settings],
      useFactory: (settings: Settings) => ({ ...QUICK, serviceName: settings.service }),
    });
    @Injectable()
    class Producer {
      constructor(
        readonly first: JobQueue,
        @InjectJobQueue('second') readonly second: JobQueue,
      ) {}

      @JobHandler('where', { queue: 'second' })
      where(): string {
        return 'in the second';
      }
    }
    const { app, dataSource } = await start({
      imports: [named],
      providers: [Producer, handler('where', () => 'in the first')],
    });
    const { first, second } = app.get(Producer);
    const inspectors = [app.get(QueueInspector), app.get<QueueInspector>('QueueInspector:second')];
    const ids = [await first.enqueue('where'), await second.enqueue('where')].map(({ id }) => id);
    const results = await waitUntil(async () => {
      const jobs = [await first.get(ids[0] as string), await second.get(ids[1] as string)];
      return jobs.every((job) => job?.state === 'succeeded') ? jobs.map((job) => job?.result) : undefined;
    });
    expect(results).toEqual(['in the first', 'in the second']);
    const [own = [], others = []] = await Promise.all(inspectors.map((inspector) => inspector.nodes()));
    expect([own.length, others.length]).toEqual([1, 1]);
    expect(own[0]?.id).not.toBe(others[0]?.id);
    expect(await dataSource.query(`SELECT service FROM pq_job WHERE id = ${ids[1]}`)).toEqual([
      { service: 'from a factory' },
    ]);
  });

  it.each(['before', 'after'])('without a name answers to its classes when a named one comes %s it', async (order) => {
    @Injectable()
    class Counting extends SqlJobRepository {
      inserted = 0;
      @Inject(ResolvedOptions) readonly settings!: ResolvedOptions;
      override insert(...call: Parameters<SqlJobRepository['insert']>): ReturnType<SqlJobRepository['insert']> {
        this.inserted++;
        return super.insert(...call);
      }
    }
    const named = PersistentQueueModule.forRoot({
      ...QUICK,
      name: 'second',
      serviceName: `second-${order}`,
      autoStart: false,
      overrides: [
        { provide: JobRepository, useClass: Counting },
        { provide: 'alias', useExisting: JobRepository },
        { provide: 'factory', useFactory: (queue: JobQueue) => queue, inject: [JobQueue] },
      ],
    });
    const unnamed = PersistentQueueModule.forRoot({ ...QUICK, serviceName: `first-${order}` });
    const { app } = await start({
      modules: order === 'before' ? [named, unnamed] : [unnamed, named],
      providers: [handler('t', () => 'in the first'), handler('t', () => 'in the second', { queue: 'second' })],
    });
    const second = app.get<JobQueue>('JobQueue:second');
    for (const strict of [{ strict: false }, {}]) {
      expect(app.get(JobQueue, strict)).not.toBe(second);
      expect(app.get(JobRepository, strict)).not.toBeInstanceOf(Counting);
      for (const token of [Poller, WorkerPool, PersistentQueue])
        expect(app.get(token, strict)).not.toBe(app.get(`${token.name}:second`));
    }
    const repository = app.get<Counting>('JobRepository:second');
    expect(app.get('alias')).toBe(repository);
    expect(app.get('factory')).toBe(second);
    expect(repository.settings.serviceName).toBe(`second-${order}`);
    const { id } = await second.enqueue('t');
    expect(repository.inserted).toBe(1);
    expect(await app.get(JobQueue).get(id)).toBeUndefined();
    await app.get<PersistentQueue>('PersistentQueue:second').start();
    expect((await second.waitFor(id)).result).toBe('in the second');
    expect((await app.get(JobQueue).waitFor((await app.get(JobQueue).enqueue('t')).id)).result).toBe('in the first');
  });

  it('lets the application replace a provider', async () => {
    let inserted = 0;
    @Injectable()
    class Counting extends SqlJobRepository {
      override insert(...call: Parameters<SqlJobRepository['insert']>): ReturnType<SqlJobRepository['insert']> {
        inserted++;
        return super.insert(...call);
      }
    }
    const { queue, app } = await start({ queue: { overrides: [{ provide: JobRepository, useClass: Counting }] } });
    await queue.enqueue('t');
    expect(inserted).toBe(1);
    expect(app.get(JobRepository)).toBeInstanceOf(Counting);
  });

  it('uses the DataSource that the options name, and says so when there is none', async () => {
    await expect(start({ queue: { dataSource: 'orders' } })).rejects.toThrow(
      /dataSource.*'orders'.*TypeOrmModule\.forRoot\(\{ name: 'orders'/,
    );
  });

  it('keeps the application’s global guards away from jobs, unless it opts in', async () => {
    const providers = [handler('t', () => 'ran'), { provide: APP_GUARD, useClass: DenyEverything }];
    const closed = await start({ providers });
    expect((await closed.waitFor((await closed.queue.enqueue('t')).id, 'succeeded', 'failed')).result).toBe('ran');
    await closed.close();
    const open = await start({
      providers: [handler('t', () => 'ran', { maxRetries: 0 }), ...providers.slice(1)],
      queue: { globalEnhancers: true },
    });
    expect((await open.waitFor((await open.queue.enqueue('t')).id, 'succeeded', 'failed')).lastError?.name).toBe(
      'JobDeniedError',
    );
  });

  it('calls handlers through their own guards and interceptors, in a context of type job', async () => {
    const seen: string[] = [];
    class Watch implements CanActivate, NestInterceptor {
      canActivate(context: ExecutionContext): boolean {
        seen.push(`guard ${context.getType<string>()} ${context.getClass().name}.${context.getHandler().name}`);
        return true;
      }

      intercept(context: ExecutionContext, next: Parameters<NestInterceptor['intercept']>[1]) {
        seen.push(`interceptor ${context.getArgByIndex<{ n: number }>(0).n}`);
        return next.handle();
      }
    }
    @Injectable()
    class Guarded {
      @JobHandler('guarded')
      @UseGuards(Watch)
      @UseInterceptors(Watch)
      run({ n }: { n: number }): number {
        return n + 1;
      }
    }
    const { queue, waitFor } = await start({ providers: [Guarded] });
    const { id } = await queue.enqueue('guarded', { n: 1 });
    expect((await waitFor(id, 'succeeded', 'failed')).result).toBe(2);
    expect(seen).toEqual(['guard job Guarded.run', 'interceptor 1']);
  });

  it('works on with its own connection while the application’s is used up by a transaction', async () => {
    const { queue, waitFor, dataSource } = await start({ providers: [handler('t', () => 'ran')] });
    const { id } = await queue.enqueue('t');
    await waitFor(id, 'succeeded');
    await queue.transaction(async (manager) => {
      const inside = await queue.enqueue('t', null, { manager });
      expect(await queue.get(inside.id)).toBeUndefined();
    });
    expect(dataSource).toBeInstanceOf(DataSource);
  });

  it('takes turns with transactions on SQLite, so that none is lost', async () => {
    const { queue } = await start({});
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) =>
        queue.transaction(async (manager) => {
          await queue.enqueue('t', n, { manager });
          await new Promise((resolve) => setImmediate(resolve));
          if (n % 2 === 1) throw new PermanentJobError('odd');
        }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    expect(await queue.counts()).toEqual([{ type: 't', state: 'waiting', count: 10 }]);
  });

  it('refuses an enqueue in a nested transaction on SQLite', async () => {
    const { queue } = await start({});
    const nested = queue.transaction((manager) =>
      manager.transaction((inner) => queue.enqueue('t', null, { manager: inner })),
    );
    await expect(nested).rejects.toThrow(/manager.*2 levels deep.*outermost/);
    expect(await queue.counts()).toEqual([]);
  });
});
