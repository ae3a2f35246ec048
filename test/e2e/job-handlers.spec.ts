import { Inject, Injectable, Module, Scope } from '@nestjs/common';
import { LazyModuleLoader, REQUEST } from '@nestjs/core';
import { describe, expect, it } from '@jest/globals';
import { of } from 'rxjs';
import { z } from 'zod';
import { DuplicateHandlerError } from '../../lib/errors/duplicate-handler.error.js';
import { InvalidHandlerError } from '../../lib/errors/invalid-handler.error.js';
import { InvalidJobError } from '../../lib/errors/invalid-job.error.js';
import { InvalidOptionError } from '../../lib/errors/invalid-option.error.js';
import { InvalidPayloadError } from '../../lib/errors/invalid-payload.error.js';
import { NotRunningError } from '../../lib/errors/not-running.error.js';
import { UnknownOptionError } from '../../lib/errors/unknown-option.error.js';
import { JobHandler } from '../../lib/handler/job-handler.decorator.js';
import type { JobContext } from '../../lib/job/job-context.js';
import { Operation, type OperationJob, type SettledJob } from '../../lib/job/operation.js';
import { JobHandlers } from '../../lib/job-handlers.js';
import { PersistentQueueModule } from '../../lib/persistent-queue.module.js';
import { defineJob } from '../../lib/queue/job-definition.js';
import { JobRepository } from '../../lib/repository/job-repository.js';
import { JobSchedule } from '../../lib/schedule/job-schedule.decorator.js';
import { Schedules } from '../../lib/schedule/schedules.js';
import { JobStep, MultiStepJob } from '../../lib/steps/multi-step-job.decorator.js';
import { handler, QUICK, type AppFixture } from '../support/app-fixture.js';
import { databases } from '../support/databases.js';
import { countIn, NodesOn, numbered } from '../support/nodes-on.js';
import { deferred, waitUntil } from '../support/wait-until.js';

const sqlite = databases().filter(({ name }) => name === 'sqlite');

const handlersOf = ({ app }: AppFixture) => app.get(JobHandlers);

@Injectable()
class LateJobs {
  @JobHandler('late', { concurrency: 7 })
  late(): string {
    return 'late';
  }

  @JobSchedule('@yearly', { name: 'every year' })
  yearly(): string {
    return 'happy new year';
  }
}

@Injectable()
@MultiStepJob('late.steps')
class LateSteps {
  @JobStep({ order: 1 })
  only(context: { done: boolean }): void {
    context.done = true;
  }
}

@Module({ providers: [LateJobs, LateSteps] })
class LateModule {}

@Injectable()
class LateOperation extends Operation {
  private rows: OperationJob[] = [{ id: 1, payload: 'a row' }];
  readonly written: unknown[] = [];

  loadJobs(): OperationJob[] {
    return this.rows;
  }

  batchUpdateJobs(settled: readonly SettledJob[]): void {
    this.rows = [];
    this.written.push(...settled.map(({ result }) => result));
  }
}

@Injectable()
class LateRows {
  @JobHandler('late.rows', { operation: { use: LateOperation } })
  run(payload: string): string {
    return `${payload} has run`;
  }
}

@Injectable({ scope: Scope.REQUEST })
class EarlyScoped {
  @JobHandler('early.scoped')
  run(): string {
    return 'early';
  }
}

@Injectable({ scope: Scope.REQUEST })
class LateScoped {
  constructor(@Inject(REQUEST) private readonly request: JobContext) {}

  @JobHandler('late.scoped')
  run(_: unknown, job: JobContext): boolean {
    return this.request.id === job.id;
  }
}

@Module({ providers: [LateScoped] })
class LateScopedModule {}

@Module({ providers: [LateOperation, LateRows] })
class LateRowsModule {}

@Injectable()
class Rival {
  @JobHandler('fine')
  fine(): void {}

  @JobHandler('taken')
  steal(): void {}
}

@Module({ providers: [Rival] })
class RivalModule {}

describe.each(databases())('handlers at run time on $name', (database) => {
  const nodes = new NodesOn(database);

  /** Of all living nodes. */
  async function knownTypes(node: AppFixture): Promise<string[]> {
    const sql = `SELECT types FROM pq_node WHERE service = '${nodes.service}' AND state = 'alive' ORDER BY id`;
    return (await nodes.sql<{ types: string }>(node, sql)).map(({ types }) => types);
  }

  it('come: what has waited for them runs, and the other nodes know', async () => {
    const node = await nodes.start();
    const { id } = await node.queue.enqueue('t', { n: 20 });
    expect(await node.app.get(JobRepository).unhandledTypes()).toEqual(['t']);
    await handlersOf(node).register('t', ({ n }: { n: number }, job) => [n + 1, job.maxAttempts], { maxRetries: 6 });
    expect(await knownTypes(node)).toEqual(['["t"]']);
    expect((await node.waitFor(id, 'succeeded')).result).toEqual([21, 7]);
  });

  it('go: what runs ends, what was claimed goes back, another node takes over, and they may come back', async () => {
    const gate = deferred();
    let isOpen = true;
    let begun = 0;
    const work = () => (isOpen ? 'quick' : (begun++, gate.promise.then(() => 'to its end')));
    const node = await nodes.start({ providers: [handler('t', work, { concurrency: 2 })] });
    await node.queue.enqueueMany('t', numbered(100));
    await waitUntil(async () => (await countIn(node, 'succeeded')) === 100);
    isOpen = false;
    await node.queue.enqueueMany('t', numbered(20));
    const areClaimed = async () => begun === 2 && (await countIn(node, 'running')) === 20;
    await waitUntil(areClaimed, { describe: 'more to be claimed than can run' });

    const going = handlersOf(node).unregister('t');
    await waitUntil(async () => (await countIn(node, 'running')) === 2, { describe: 'what has not begun to go back' });
    await waitUntil(async () => (await knownTypes(node)).join() === '[]', { describe: 'the others to know' });
    let isGone = false;
    void going.then(() => (isGone = true));

    const heir = await nodes.start({ providers: [handler('t', () => 'by the heir')] });
    await waitUntil(async () => (await countIn(node, 'succeeded')) === 118, { describe: 'the heir to run them' });
    expect(isGone).toBe(false);
    gate.resolve();
    expect(await going).toBe(true);
    await waitUntil(async () => (await countIn(node, 'succeeded')) === 120);
    const { jobs } = await node.queue.find({ type: 't' }, { limit: 20 });
    expect(jobs.map(({ result }) => result).filter((result) => result === 'to its end')).toHaveLength(2);
    for (const { id } of jobs)
      expect(await node.queue.history(id)).toMatchObject([{ attempt: 1, outcome: 'succeeded' }]);

    await handlersOf(heir).unregister('t');
    const { id } = await node.queue.enqueue('t');
    await handlersOf(node).register('t', () => 'back again');
    expect((await node.waitFor(id, 'succeeded')).result).toBe('back again');
    expect(await knownTypes(node)).toEqual(['["t"]', '[]']);
  });

  it('are found in modules that were loaded late, and so are their schedules and multi-step jobs', async () => {
    const node = await nodes.start({ providers: [handler('early', () => 'early')] });
    const { id } = await node.queue.enqueue('late', null, { key: 'before' });
    expect(await handlersOf(node).rescan()).toEqual([]);
    await node.app.get(LazyModuleLoader).load(() => LateModule);
    expect((await handlersOf(node).rescan()).toSorted()).toEqual(['every year', 'late', 'late.steps']);
    expect(await handlersOf(node).rescan()).toEqual([]);
    expect((await node.waitFor(id, 'succeeded')).result).toBe('late');
    const steps = await node.queue.enqueue('late.steps', {}, { key: 'once' });
    expect((await node.waitFor(steps.id, 'succeeded')).result).toEqual({ done: true });
    const scopes = `SELECT key_scope AS scope FROM pq_job WHERE service = '${nodes.service}' AND type = 'late.steps'`;
    expect(await nodes.sql(node, scopes)).toEqual([{ scope: 'forever' }]);
    expect(await node.app.get(Schedules).get('every year')).toMatchObject({ enabled: true, type: 'every year' });
    const fired = await node.app.get(Schedules).runNow('every year');
    expect((await node.waitFor(fired.id, 'succeeded')).result).toBe('happy new year');
    expect(await knownTypes(node)).toEqual([JSON.stringify(['early', 'late', 'late.steps', 'every year'])]);
  });
});

describe.each(sqlite)('JobHandlers', (database) => {
  const nodes = new NodesOn(database);

  it('takes a definition with its options and its schema', async () => {
    const Order = defineJob('order', { maxRetries: 8, schema: z.object({ n: z.string().transform(Number) }) });
    const node = await nodes.start();
    await handlersOf(node).register(Order, ({ n }, job) => [n + 1, job.maxAttempts], { waitTime: 1 });
    const { id } = await node.queue.enqueue(Order, { n: '41' });
    expect((await node.waitFor(id, 'succeeded', 'failed')).result).toEqual([42, 9]);
    await expect(node.queue.enqueue('order', { n: 41 })).rejects.toThrow(InvalidPayloadError);
    await handlersOf(node).register('inline', ({ n }) => n, { schema: z.object({ n: z.number() }) });
    // @ts-expect-error -- it gets a number
    await handlersOf(node).register('typed', ({ n }: { n: string }) => n, { schema: z.object({ n: z.number() }) });
    await handlersOf(node).unregister(Order);
    expect(await node.queue.enqueue('order', { n: 41 })).toMatchObject({ created: true });
  });

  it('awaits promises and Observables', async () => {
    const node = await nodes.start();
    await handlersOf(node).register('stream', async () => of(1, 2, 3));
    const { id } = await node.queue.enqueue('stream');
    expect((await node.waitFor(id, 'succeeded')).result).toBe(3);
  });

  it('makes a request-scoped provider of a module that came late anew for each job', async () => {
    const node = await nodes.start({ providers: [EarlyScoped] });
    const early = await node.queue.enqueue('early.scoped');
    await node.waitFor(early.id, 'succeeded');
    await node.app.get(LazyModuleLoader).load(() => LateScopedModule);
    await handlersOf(node).rescan();
    const { id } = await node.queue.enqueue('late.scoped');
    expect(await node.waitFor(id, 'succeeded')).toMatchObject({ result: true });
  });

  it('leads an operation that came late, which cannot be taken away', async () => {
    const node = await nodes.start();
    const module = await node.app.get(LazyModuleLoader).load(() => LateRowsModule);
    expect(await handlersOf(node).rescan()).toEqual(['late.rows']);
    expect(await handlersOf(node).rescan()).toEqual([]);
    const { written } = module.get(LateOperation);
    await waitUntil(() => written.length > 0, { describe: 'the row to be written' });
    expect(written).toEqual(['a row has run']);
    await expect(handlersOf(node).unregister('late.rows')).rejects.toThrow(/LateRows\.run.*cannot be taken away/);
    await expect(node.queue.enqueue('late.rows')).rejects.toThrow(InvalidJobError);
  });

  it('refuses a second handler of a type, however they came', async () => {
    const node = await nodes.start({ providers: [handler('taken', () => 'first')] });
    const second = handlersOf(node).register('taken', function mine() {});
    await expect(second).rejects.toThrow(DuplicateHandlerError);
    await expect(second).rejects.toThrow(/Handler\.handle and the function mine/);
    await node.app.get(LazyModuleLoader).load(() => RivalModule);
    for (let times = 0; times < 2; times++)
      await expect(handlersOf(node).rescan()).rejects.toThrow(/Handler\.handle and Rival\.steal/);
    const ids = [await node.queue.enqueue('taken'), await node.queue.enqueue('fine')];
    const [taken] = await Promise.all(ids.map(({ id }) => node.waitFor(id, 'succeeded')));
    expect(taken?.result).toBe('first');
    await handlersOf(node).unregister('taken');
    expect(await handlersOf(node).rescan()).toEqual(['taken']);
  });

  it.each<
    [
      what: string,
      type: unknown,
      work: unknown,
      options: unknown,
      error: new (...given: never[]) => Error,
      message: RegExp,
    ]
  >([
    ['an empty type', '', () => 1, {}, InvalidHandlerError, /at least one character/],
    ['no function', 't', 'work', {}, InvalidHandlerError, /JobHandlers\.register\(\).*'work'/],
    [
      'an unknown option',
      't',
      () => 1,
      { maxRetry: 1 },
      UnknownOptionError,
      /register\('t'\).*Did you mean 'maxRetries'/,
    ],
    ['the option of a decorator', 't', () => 1, { queue: 'reports' }, UnknownOptionError, /queue/],
    ['a bad option', 't', () => 1, { timeout: NaN }, InvalidOptionError, /timeout.*NaN/],
    ['no options', 't', () => 1, null, InvalidOptionError, /object of options/],
    ['contradictions', 't', () => 1, { ackTimeout: 5 }, InvalidOptionError, /ackTimeout/],
    ['an operation', 't', () => 1, { operation: {} }, InvalidHandlerError, /Leave out the operation/],
    ['no schema', 't', () => 1, { schema: {} }, InvalidOptionError, /Standard Schema/],
  ])('refuses %s as the decorator does', async (_, type, work, options, error, message) => {
    const node = await nodes.start();
    const registering = handlersOf(node).register(type as string, work as () => unknown, options as object);
    await expect(registering).rejects.toThrow(error);
    await expect(registering).rejects.toThrow(message);
    await handlersOf(node).register('t', () => 'well');
  });

  it('may be used before the jobs are started, and not after the application is closed', async () => {
    const node = await nodes.start({ queue: { autoStart: false } });
    const handlers = handlersOf(node);
    await handlers.register('t', () => 'started');
    await handlers.register('gone', () => 'started');
    expect([await handlers.unregister('gone'), await handlers.unregister('gone')]).toEqual([true, false]);
    const { id } = await node.queue.enqueue('t');
    const other = await node.queue.enqueue('gone');
    await node.start();
    expect((await node.waitFor(id, 'succeeded')).result).toBe('started');
    expect((await node.queue.get(other.id))?.state).toBe('waiting');
    await node.close();
    await expect(handlers.register('u', () => 1)).rejects.toThrow(NotRunningError);
    await expect(handlers.unregister('t')).rejects.toThrow(NotRunningError);
    await expect(handlers.rescan()).rejects.toThrow(/JobHandlers\.rescan\(\)/);
  });

  it('may be used by a provider before the application has started; the start finds what is decorated', async () => {
    @Injectable()
    class Plugin {
      constructor(private readonly handlers: JobHandlers) {}

      async onModuleInit(): Promise<void> {
        await this.handlers.register('plugin', () => 'plugged in');
        await this.handlers.rescan();
      }
    }
    const node = await nodes.start({ providers: [Plugin, handler('decorated', () => 'decorated')] });
    for (const [type, result] of [
      ['plugin', 'plugged in'],
      ['decorated', 'decorated'],
    ] as const) {
      const { id } = await node.queue.enqueue(type);
      expect((await node.waitFor(id, 'succeeded')).result).toBe(result);
    }
  });

  it('of a named module is that module’s', async () => {
    const modules = ['reports', undefined].map((name) =>
      PersistentQueueModule.forRoot({ ...QUICK, serviceName: `${nodes.service}-${name}`, ...(name && { name }) }),
    );
    const node = await nodes.start({ modules });
    const handlers = node.app.get<JobHandlers>('JobHandlers:reports');
    expect(handlers).not.toBe(node.app.get(JobHandlers));
    await handlers.register('t', () => 'a report');
    await handlersOf(node).register('t', () => 'something else');
    const queue = node.app.get<AppFixture['queue']>('JobQueue:reports');
    const { id } = await queue.enqueue('t');
    expect((await queue.waitFor(id)).result).toBe('a report');
  });

  it('tells the other nodes with the next beat when the database is away meanwhile', async () => {
    const node = await nodes.start({ queue: { lease: { ...QUICK.lease, beat: 20 } } });
    const repository = node.app.get(JobRepository);
    const told: (readonly string[])[] = [];
    const setTypes = repository.setTypes.bind(repository);
    repository.setTypes = async (id, types) => {
      told.push(types.map(({ type }) => type));
      if (told.length === 1) throw new Error('the database is away');
      await setTypes(id, types);
    };
    await handlersOf(node).register('t', () => 'runs');
    const { id } = await node.queue.enqueue('t');
    await node.waitFor(id, 'succeeded');
    const sql = `SELECT types FROM pq_node WHERE service = '${nodes.service}'`;
    await waitUntil(async () => (await nodes.sql<{ types: string }>(node, sql))[0]?.types === '["t"]');
    expect(told).toEqual([['t'], ['t']]);
  });
});
