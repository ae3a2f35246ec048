import { Controller, Get, Inject, Injectable, Scope, type CanActivate, UseGuards } from '@nestjs/common';
import { ExternalContextCreator, REQUEST } from '@nestjs/core';
import { Cron, Interval, ScheduleModule, SchedulerRegistry, Timeout } from '@nestjs/schedule';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { InvalidLockError } from '../../lib/errors/invalid-lock.error.js';
import { LockTimeoutError } from '../../lib/errors/lock-timeout.error.js';
import { NoLockServiceError } from '../../lib/errors/no-lock-service.error.js';
import { UnknownOptionError } from '../../lib/errors/unknown-option.error.js';
import { JobHandler } from '../../lib/handler/job-handler.decorator.js';
import type { JobContext } from '../../lib/job/job-context.js';
import { LockRepository } from '../../lib/lock/lock-repository.js';
import { LockService } from '../../lib/lock/lock-service.js';
import type { Lock } from '../../lib/lock/lock.js';
import { WithLock, type WithLockOptions } from '../../lib/lock/with-lock.decorator.js';
import { PersistentQueueModule } from '../../lib/persistent-queue.module.js';
import { SqlLockRepository } from '../../lib/typeorm/sql.lock-repository.js';
import { QUICK, startApp, type AppFixture, type AppOptions } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { deferred, waitUntil } from '../support/wait-until.js';

@Injectable()
class Reports {
  readonly made: string[] = [];
  readonly fences: (number | undefined)[] = [];
  gate = Promise.resolve();
  private readonly greeting = 'made';

  constructor(private readonly locks: LockService) {}

  @WithLock('report')
  async make(title: string): Promise<string> {
    await this.gate;
    this.fences.push(this.locks.current?.fence);
    this.made.push(title);
    return `${this.greeting} ${title}`;
  }

  @WithLock((customer: string) => `customer ${customer}`, { wait: '10s' })
  async bill(customer: string, amount: number): Promise<string> {
    await this.gate;
    this.made.push(`${customer} ${amount}`);
    return customer;
  }

  @WithLock('report', { wait: 20 })
  async hurry(): Promise<string> {
    return 'hurried';
  }

  @WithLock('broken')
  async fail(): Promise<never> {
    throw new Error('it broke');
  }

  @WithLock('now')
  now(): number {
    return 42;
  }
}

describe.each(databases().filter(({ name }) => name === 'sqlite'))('@WithLock()', (database) => {
  let schema: TestSchema;
  let services = 0;
  const started: AppFixture[] = [];
  beforeAll(async () => {
    schema = await database.create();
  });
  afterEach(async () => {
    for (const fixture of started.splice(0)) await fixture.close();
  });
  afterAll(() => schema.drop());

  async function start(options: AppOptions, serviceName = `service-${++services}`): Promise<AppFixture> {
    const fixture = await startApp(schema, { ...options, queue: { ...options.queue, serviceName } });
    started.push(fixture);
    return fixture;
  }

  /** Another process, as far as a lock can tell. */
  async function startTwo(options: AppOptions): Promise<[AppFixture, AppFixture]> {
    const one = await start(options);
    return [one, await start(options, `service-${services}`)];
  }

  it('leaves a call out that finds the lock taken, in this process or another one', async () => {
    const [one, two] = await startTwo({ providers: [Reports] });
    const [here, there] = [one.app.get(Reports), two.app.get(Reports)];
    const gate = deferred();
    here.gate = gate.promise;
    const making = here.make('first');
    await waitUntil(async () => (await there.make('second')) === undefined);
    const made = there.made.length;
    expect(await here.make('third')).toBeUndefined();
    gate.resolve();
    expect(await making).toBe('made first');
    expect(here.made).toEqual(['first']);
    expect(there.made).toHaveLength(made);
    expect(await there.make('fourth')).toBe('made fourth');
    expect(there.fences.at(-1)).toBeGreaterThan(here.fences[0] as number);
  });

  it('with wait has calls wait for each other, by a name made of their arguments', async () => {
    const { app } = await start({ providers: [Reports] });
    const reports = app.get(Reports);
    const gate = deferred();
    reports.gate = gate.promise;
    const calls = [reports.bill('a', 1), reports.bill('b', 2), reports.bill('a', 3)];
    gate.resolve();
    expect(await Promise.all(calls)).toEqual(['a', 'b', 'a']);
    expect([...reports.made].sort()).toEqual(['a 1', 'a 3', 'b 2']);
    await expect(reports.bill('', 1)).resolves.toBe('');
    await expect(reports.bill('x'.repeat(300), 1)).rejects.toThrow(InvalidLockError);
  });

  it('with wait rejects when it was in vain', async () => {
    const { app } = await start({ providers: [Reports] });
    const lock = (await app.get(LockService).tryAcquire('report')) as Lock;
    await expect(app.get(Reports).hurry()).rejects.toThrow(LockTimeoutError);
    await lock.release();
    expect(await app.get(Reports).hurry()).toBe('hurried');
  });

  it('lets errors through and releases the lock, and answers a promise in any case', async () => {
    const { app } = await start({ providers: [Reports] });
    const reports = app.get(Reports);
    for (let n = 0; n < 2; n++) await expect(reports.fail()).rejects.toThrow('it broke');
    const answer: unknown = reports.now();
    expect(answer).toBeInstanceOf(Promise);
    expect(await answer).toBe(42);
  });

  it('keeps the name of the method, and what other decorators have written on it', async () => {
    expect(Reports.prototype.make.name).toBe('make');
    @Injectable()
    class Nobody implements CanActivate {
      canActivate(): boolean {
        return false;
      }
    }
    @Controller('locked')
    class Locked {
      @WithLock('above')
      @UseGuards(Nobody)
      @Get('above')
      async above(): Promise<string> {
        return 'above';
      }

      @UseGuards(Nobody)
      @Get('below')
      @WithLock('below')
      async below(): Promise<string> {
        return 'below';
      }

      @Get('open')
      @WithLock('open')
      async open(): Promise<string> {
        return 'open';
      }
    }
    const { app } = await start({ providers: [Locked] });
    const controller = app.get(Locked);
    for (const name of ['above', 'below', 'open'] as const) {
      expect(Reflect.getMetadata('path', Locked.prototype[name])).toBe(name);
      const call = app
        .get(ExternalContextCreator)
        .create(controller, controller[name], name, undefined, undefined, undefined, undefined, undefined, 'http');
      if (name === 'open') expect(await call()).toBe('open');
      else await expect(call()).rejects.toThrow(/Forbidden/);
    }
  });

  it('works above and below @JobHandler(), on instances made for one job, and on inherited methods', async () => {
    const fences: unknown[] = [];
    abstract class Base {
      protected abstract readonly locks: LockService;

      @WithLock('jobs', { wait: '10s' })
      @JobHandler('above')
      async above(payload: unknown): Promise<unknown> {
        fences.push(this.locks.current?.fence);
        return payload;
      }
    }
    @Injectable({ scope: Scope.REQUEST })
    class Handlers extends Base {
      constructor(
        @Inject(REQUEST) private readonly request: JobContext,
        protected readonly locks: LockService,
      ) {
        super();
      }

      @JobHandler('below')
      @WithLock('jobs', { wait: '10s' })
      async below(_: unknown, job: JobContext): Promise<unknown> {
        fences.push(this.locks.current?.fence);
        return this.request.id === job.id;
      }
    }
    const fixture = await start({ providers: [Handlers] });
    const above = await fixture.queue.enqueue('above', { a: 1 });
    const below = await fixture.queue.enqueue('below');
    expect((await fixture.waitFor(above.id, 'succeeded')).result).toEqual({ a: 1 });
    expect((await fixture.waitFor(below.id, 'succeeded')).result).toBe(true);
    expect(new Set(fences)).toEqual(new Set([1, 2]));
  });

  it.each(['Cron', 'Interval', 'Timeout'] as const)(
    'works above and below @%s(): one process at a time',
    async (kind) => {
      const at = { Cron: () => Cron('* * * * * *'), Interval: () => Interval(50), Timeout: () => Timeout(50) }[kind];
      const ran: string[] = [];
      @Injectable()
      class Tasks {
        constructor(private readonly locks: LockService) {}

        @WithLock(`${kind} above`, { atMost: '10s', atLeast: 'auto' })
        @at()
        async above(): Promise<void> {
          ran.push(`above ${this.locks.current?.fence}`);
        }

        @at()
        @WithLock(`${kind} below`, { atMost: '10s', atLeast: 'auto' })
        async below(): Promise<void> {
          ran.push(`below ${this.locks.current?.fence}`);
        }
      }
      const [one, two] = await startTwo({ providers: [Tasks], imports: [ScheduleModule.forRoot()] });
      const times = (name: string) => ran.filter((each) => each.startsWith(name)).length;
      await waitUntil(() => times('above') > 0 && times('below') > 0);
      const registry = one.app.get(SchedulerRegistry);
      const all = {
        Cron: () => [...registry.getCronJobs().keys()],
        Interval: () => registry.getIntervals(),
        Timeout: () => registry.getTimeouts(),
      };
      expect(all[kind]()).toHaveLength(2);
      // By now both processes have asked more than once, where they ask more than once.
      const skipped = await Promise.all([one, two].map(({ app }) => app.get(Tasks).above()));
      expect(skipped).toEqual([undefined, undefined]);
      expect([...ran].sort()).toEqual(['above 1', 'below 1']);
    },
  );

  it('uses the locks of the module that queue names', async () => {
    @Injectable()
    class Named {
      constructor(@Inject('LockService:reports') readonly locks: LockService) {}

      @WithLock('same', { queue: 'reports' })
      async named(): Promise<number | undefined> {
        return this.locks.current?.fence;
      }

      @WithLock('same')
      async unnamed(): Promise<number | undefined> {
        return this.locks.current?.fence;
      }
    }
    const modules = [
      PersistentQueueModule.forRoot({ ...QUICK, serviceName: 'unnamed' }),
      PersistentQueueModule.forRoot({ ...QUICK, serviceName: 'reports', name: 'reports' }),
    ];
    const { app } = await start({ providers: [Named], modules });
    const lock = (await app.get(LockService).tryAcquire('same')) as Lock;
    expect(await app.get(Named).named()).toBe(1);
    expect(app.get<LockService>('LockService:reports')).not.toBe(app.get(LockService));
    await lock.release();
    expect(await app.get(Named).unnamed()).toBeUndefined();
  });

  it('of a module that is not there stops the application at start', async () => {
    @Injectable()
    class Lost {
      @WithLock('l', { queue: 'nowhere' })
      async run(): Promise<void> {}
    }
    await expect(start({ providers: [Lost] })).rejects.toThrow(/LockService:nowhere/);
  });

  it('asks a repository of your own, if you have one', async () => {
    const taken: string[] = [];
    @Injectable()
    class Watched extends SqlLockRepository {
      override take(request: Parameters<SqlLockRepository['take']>[0]) {
        taken.push(request.name);
        return super.take(request);
      }
    }
    const overrides = [{ provide: LockRepository, useClass: Watched }];
    const { app } = await start({ providers: [Reports], queue: { overrides } });
    await app.get(Reports).make('one');
    expect(taken).toEqual(['report']);
  });

  it('says what is missing when the instance was made by hand', async () => {
    const reports = new Reports(undefined as never);
    await expect(reports.make('x')).rejects.toThrow(NoLockServiceError);
    await expect(reports.make('x')).rejects.toThrow(/Reports\.make.*provider.*LockService\.using\(\)/);
    await expect(reports.make.call(undefined as never, 'x')).rejects.toThrow(NoLockServiceError);
  });

  it.each<[what: string, name: unknown, options: object, error: new (...args: never[]) => Error]>([
    ['an empty name', '', {}, InvalidLockError],
    ['a name of 300 characters', 'x'.repeat(300), {}, InvalidLockError],
    ['an impossible atMost', 'l', { atMost: 'soon' }, InvalidLockError],
    ['atLeast above atMost', 'l', { atMost: '1s', atLeast: '2s' }, InvalidLockError],
    ['an impossible wait', 'l', { wait: -1 }, InvalidLockError],
    ['an unknown option', 'l', { atMots: 1 }, UnknownOptionError],
  ])('refuses %s when the class is made', (_, name, options, error) => {
    expect(() => WithLock(name as string, options as WithLockOptions)).toThrow(error);
  });

  it('refuses to stand on a property', () => {
    expect(() => WithLock('l')(Reports.prototype, 'made', undefined as never)).toThrow(/Reports\.made.*method/);
  });
});
