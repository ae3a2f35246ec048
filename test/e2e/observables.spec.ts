import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Catch,
  Injectable,
  UseFilters,
  UseInterceptors,
  type ExceptionFilter,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import { getEventListeners } from 'node:events';
import { concat, EMPTY, firstValueFrom, map, NEVER, Observable, of, Subject, tap, throwError, timer } from 'rxjs';
import { JobTimeoutError } from '../../lib/errors/job-timeout.error.js';
import { JobHandler, type JobHandlerDecoratorOptions } from '../../lib/handler/job-handler.decorator.js';
import type { JobContext } from '../../lib/job/job-context.js';
import { JobOutcome } from '../../lib/job/job-outcome.js';
import { handler, startApp, type AppFixture } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { JobStep, MultiStepJob } from '../../lib/index.js';

const ONCE = { maxRetries: 0 } satisfies JobHandlerDecoratorOptions;

/** What becomes of it is the same on every database. */
describe.each(databases().slice(0, 1))('a handler that returns an Observable', (database) => {
  let schema: TestSchema;
  let fixture: AppFixture;
  let services = 0;
  beforeAll(async () => {
    schema = await database.create();
  });
  afterEach(() => fixture.close());
  afterAll(() => schema.drop());

  /** Runs one job of the type `work`, and answers what has become of it. */
  async function run(provider: Type) {
    fixture = await startApp(schema, { providers: [provider], queue: { serviceName: `service-${++services}` } });
    const { id } = await fixture.queue.enqueue('work', {});
    const job = await fixture.waitFor(id, 'succeeded', 'failed');
    return { ...job, history: await fixture.queue.history(id) };
  }

  const returning = (work: (job: JobContext) => unknown, options: JobHandlerDecoratorOptions = ONCE) =>
    run(handler('work', (_, job) => work(job), options));

  it('has succeeded when that completes, with its last value', async () => {
    expect(await returning(() => of(1, 2, 3))).toMatchObject({ state: 'succeeded', result: 3 });
  });

  it('has succeeded when that completes without a value: it is done, and is not done again', async () => {
    const job = await returning(() => EMPTY);
    expect(job).toMatchObject({ state: 'succeeded', result: undefined });
    expect(job.history).toHaveLength(1);
  });

  it('has succeeded when that had completed before anybody listened, as that of a client’s emit() may', async () => {
    const sent = new Subject<void>();
    sent.next();
    sent.complete();
    expect(await returning(() => sent)).toMatchObject({ state: 'succeeded', result: undefined });
  });

  it('has failed when that errs, after its retries', async () => {
    const job = await returning(
      () =>
        concat(
          of(1),
          throwError(() => new RangeError('no broker')),
        ),
      {
        maxRetries: 1,
        waitTime: 1,
      },
    );
    expect(job).toMatchObject({ state: 'failed', lastError: { name: 'RangeError', message: 'no broker' } });
    expect(job.history.map(({ outcome }) => outcome)).toEqual(['retried', 'failed']);
  });

  it('has failed when it waits for a value that never comes: that is its own error', async () => {
    const job = await returning(async () => firstValueFrom(EMPTY));
    expect(job).toMatchObject({ state: 'failed', lastError: { name: 'EmptyError' } });
  });

  it('can say with it what a JobOutcome says', async () => {
    const job = await returning(() => of(JobOutcome.fail('no such order')));
    expect(job).toMatchObject({ state: 'failed', lastError: { message: 'no such order' } });
  });

  it.each([
    ['it', (endless: Observable<never>) => endless],
    ['a promise of it', async (endless: Observable<never>) => endless],
  ])('ends at its timeout when %s never completes, and its source is cancelled', async (_, returned) => {
    let cancelled = 0;
    const endless = new Observable<never>(() => () => cancelled++);
    const job = await returning(() => returned(endless), { ...ONCE, timeout: 50 });
    expect(job).toMatchObject({ state: 'failed', lastError: { name: JobTimeoutError.name } });
    expect(job.history).toMatchObject([{ outcome: 'failed', reason: 'timeout' }]);
    expect(cancelled).toBe(1);
  });

  it('listens to its signal no longer than it runs', async () => {
    let signal: AbortSignal | undefined;
    const listeners = () => signal && getEventListeners(signal, 'abort').length;
    let before: number | undefined;
    let during: number | undefined;
    await returning((job) => {
      signal = job.signal;
      before = listeners();
      return timer(5).pipe(tap(() => (during = listeners())));
    });
    expect([before, during, listeners()]).toEqual([0, 1, 0]);
  });

  it('has interceptors that see its values, and may change them', async () => {
    class AddOne implements NestInterceptor {
      intercept(_: unknown, next: { handle(): Observable<number> }): Observable<number> {
        return next.handle().pipe(map((value) => value + 1));
      }
    }
    @Injectable()
    class Jobs {
      @JobHandler('work', ONCE)
      @UseInterceptors(AddOne)
      work(): Observable<number> {
        return of(1, 2);
      }
    }
    expect(await run(Jobs)).toMatchObject({ state: 'succeeded', result: 3 });
  });

  it('has succeeded when an interceptor lets nothing through', async () => {
    class Skip implements NestInterceptor {
      intercept(): Observable<never> {
        return EMPTY;
      }
    }
    @Injectable()
    class Jobs {
      @JobHandler('work', ONCE)
      @UseInterceptors(Skip)
      work(): void {
        throw new Error('it should have been skipped');
      }
    }
    expect(await run(Jobs)).toMatchObject({ state: 'succeeded', result: undefined });
  });

  it('is cancelled through its interceptors too', async () => {
    let cancelled = 0;
    class Through implements NestInterceptor {
      intercept(_: unknown, next: { handle(): Observable<unknown> }): Observable<unknown> {
        return next.handle().pipe(map((value) => value));
      }
    }
    @Injectable()
    class Jobs {
      @JobHandler('work', { ...ONCE, timeout: 50 })
      @UseInterceptors(Through)
      work(): Observable<never> {
        return new Observable(() => () => cancelled++);
      }
    }
    expect((await run(Jobs)).history).toMatchObject([{ outcome: 'failed', reason: 'timeout' }]);
    expect(cancelled).toBe(1);
  });

  it('has failed when a filter answers an Observable of an error', async () => {
    @Catch()
    class Rethrow implements ExceptionFilter {
      catch(error: Error): Observable<never> {
        return throwError(() => new TypeError(`filtered: ${error.message}`));
      }
    }
    @Injectable()
    class Jobs {
      @JobHandler('work', ONCE)
      @UseFilters(Rethrow)
      work(): Observable<never> {
        return throwError(() => new Error('no broker'));
      }
    }
    expect(await run(Jobs)).toMatchObject({ state: 'failed', lastError: { message: 'filtered: no broker' } });
  });

  it('has its transaction open until that completes', async () => {
    const job = await returning((context) => timer(5).pipe(map(() => context.manager.connection.isInitialized)), {
      ...ONCE,
      transactional: true,
    });
    expect(job).toMatchObject({ state: 'succeeded', result: true });
  });

  it('may do so in a step, whose saved result is the last value', async () => {
    let subscribed = 0;
    const source = new Observable<number>((subscriber) => {
      subscribed++;
      subscriber.next(7);
      subscriber.complete();
    });
    const job = await returning(
      async (context) => {
        const result = await context.step('send', () => source);
        await context.step('nothing', () => EMPTY);
        if (context.attempt === 1) throw new Error('again');
        return result + 1;
      },
      { waitTime: 1 },
    );
    expect(job).toMatchObject({ state: 'succeeded', result: 8, retries: 1 });
    expect(subscribed).toBe(1);
  });

  it('is cancelled in a step too', async () => {
    const job = await returning((context) => context.step('for ever', () => NEVER), { ...ONCE, timeout: 50 });
    expect(job.history).toMatchObject([{ outcome: 'failed', reason: 'timeout' }]);
  });

  it('may be the step of a multi-step job', async () => {
    let cancelled = 0;
    @Injectable()
    @MultiStepJob('work', { waitTime: 1 })
    class Jobs {
      @JobStep({ order: 1 })
      nothing(): Observable<never> {
        return EMPTY;
      }

      @JobStep({ order: 2, timeout: 50 })
      endless(_: unknown, job: JobContext): Observable<number> {
        return job.attempt > 1 ? of(2) : new Observable(() => () => cancelled++);
      }
    }
    const job = await run(Jobs);
    expect(job.state).toBe('succeeded');
    expect((await fixture.queue.steps(job.id)).steps).toMatchObject([
      { result: undefined },
      { result: 2, attempts: 2 },
    ]);
    expect(cancelled).toBe(1);
  });
});
