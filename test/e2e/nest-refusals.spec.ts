import {
  BadRequestException,
  ForbiddenException,
  HttpException,
  Injectable,
  ServiceUnavailableException,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type CanActivate,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { catchError, map, of, retry, throwError, timeout, TimeoutError, timer, type Observable } from 'rxjs';
import { JobHandler, JobOutcome, JobStep, MultiStepJob, OnJobFailed, type JobContext } from '../../lib/index.js';
import { NestFixture, type RunJob } from '../support/nest-fixture.js';

const QUICKLY = { maxRetries: 2, waitTime: 1 };
const TOO_MANY_REQUESTS = 429;

type Next = { handle(): Observable<unknown> };

const guard = (answer: () => unknown): CanActivate => ({ canActivate: answer as () => boolean });
const pipe = (transform: (payload: unknown) => unknown): PipeTransform => ({ transform });
const interceptor = (intercept: (next: Next) => Observable<unknown>): NestInterceptor => ({
  intercept: (_, next) => intercept(next),
});
const throwing = (error: unknown) => () => {
  throw error;
};

const outcomes = ({ history }: RunJob) => history.map(({ outcome }) => outcome);

describe('a job whose handler has not been reached', () => {
  const nest = new NestFixture();

  /** Runs a job whose handler has these around it. */
  async function runWith(
    decorator: MethodDecorator,
    work: (job: JobContext) => unknown = () => 'done',
  ): Promise<RunJob> {
    @Injectable()
    class Jobs {
      @JobHandler('work', QUICKLY)
      @decorator
      run(_: unknown, job: JobContext): unknown {
        return work(job);
      }
    }
    await nest.start({ providers: [Jobs] });
    return nest.run('work');
  }

  it.each([
    ['false', () => false, 'ForbiddenException', /type 'work' \(Forbidden resource\).*context\.getType\(\)/],
    ['a promise of false', async () => false, 'ForbiddenException', /Forbidden resource/],
    ['an Observable of false', () => of(false), 'ForbiddenException', /Forbidden resource/],
    ['an exception', throwing(new ForbiddenException('not yours')), 'ForbiddenException', /not yours/],
    ['any error', throwing(new TypeError('no user')), 'TypeError', /no user/],
    ['no error at all', throwing('a string'), 'string', /a string/],
  ])('has failed for good when its guard answers %s', async (_, answer, name, message) => {
    const job = await runWith(UseGuards(guard(answer)));
    expect(outcomes(job)).toEqual(['failed']);
    expect(job.lastError).toMatchObject({ name: 'JobDeniedError', message: expect.stringMatching(message) });
    expect(job.lastError?.cause?.name).toBe(name);
  });

  it('has failed for good when a pipe throws, with all that the pipe has found', async () => {
    const response = { errors: [{ field: 'n', rule: 'positive' }] };
    const job = await runWith(UsePipes(pipe(throwing(new BadRequestException(response)))));
    expect(outcomes(job)).toEqual(['failed']);
    expect(job.lastError).toMatchObject({
      name: 'PayloadRefusedError',
      message: expect.stringMatching(/type 'work': Bad Request Exception.*field: 'n', rule: 'positive'/),
      cause: { name: 'BadRequestException' },
    });
  });

  it.each([
    ['a guard', UseGuards(guard(throwing(new ServiceUnavailableException('starting'))))],
    ['a pipe', UsePipes(pipe(throwing(new HttpException('slow down', TOO_MANY_REQUESTS))))],
  ])('is tried again when %s says that waiting helps', async (_, decorator) => {
    const job = await runWith(decorator);
    expect(outcomes(job)).toEqual(['retried', 'retried', 'failed']);
    expect(job.lastError?.name).toMatch(/^(ServiceUnavailable|Http)Exception$/);
  });

  it.each([
    ['a guard', UseGuards(guard(() => true))],
    ['a pipe', UsePipes(pipe((payload) => payload))],
  ])('is told from one whose handler throws the same behind %s', async (_, decorator) => {
    const errors = [new ForbiddenException(), new BadRequestException(['n must be odd'])];
    const job = await runWith(decorator, ({ attempt }) => {
      throw errors[attempt % 2];
    });
    expect(outcomes(job)).toEqual(['retried', 'retried', 'failed']);
    expect(job.lastError?.message).toBe('Bad Request Exception: n must be odd');
  });

  it('has failed for good too when an interceptor makes another error of it', async () => {
    const rename = interceptor((next) => next.handle().pipe(catchError(() => throwError(() => new Error('renamed')))));
    @Injectable()
    class Jobs {
      @JobHandler('work', QUICKLY)
      @UseInterceptors(rename)
      @UsePipes(pipe(throwing(new BadRequestException('not odd'))))
      run(): void {}
    }
    await nest.start({ providers: [Jobs] });
    const job = await nest.run('work');
    expect(outcomes(job)).toEqual(['failed']);
    expect(job.lastError?.message).toMatch(/not odd/);
  });

  it('is one like any other when an interceptor has had its payload accepted after all', async () => {
    let tries = 0;
    const once = () => {
      if (++tries === 1) throw new BadRequestException('the first time');
    };
    @Injectable()
    class Jobs {
      @JobHandler('work', QUICKLY)
      @UseInterceptors(interceptor((next) => next.handle().pipe(retry(1))))
      @UsePipes(pipe(once))
      run(): never {
        throw new Error('an ordinary one');
      }
    }
    await nest.start({ providers: [Jobs] });
    const job = await nest.run('work');
    expect(outcomes(job)).toEqual(['retried', 'retried', 'failed']);
    expect(job.lastError?.message).toBe('an ordinary one');
  });

  it('is tried again when an interceptor has thrown', async () => {
    const job = await runWith(UseInterceptors(interceptor(throwing(new Error('no budget left')))));
    expect(outcomes(job)).toEqual(['retried', 'retried', 'failed']);
    expect(job.lastError?.message).toBe('no budget left');
  });

  it('fails its step, and the job with it', async () => {
    const seen: unknown[] = [];
    @Injectable()
    @MultiStepJob('work', QUICKLY)
    class Jobs {
      @JobStep({ order: 1 })
      first(): void {
        seen.push('first');
      }

      @JobStep({ order: 2 })
      @UseGuards(guard(() => false))
      second(): void {
        seen.push('second');
      }

      @OnJobFailed()
      failed(_: unknown, __: JobContext, error: Error): void {
        seen.push(error.name);
      }
    }
    await nest.start({ providers: [Jobs] });
    expect(outcomes(await nest.run('work'))).toEqual(['failed']);
    expect(seen).toEqual(['first', 'JobDeniedError']);
  });
});

describe('an interceptor', () => {
  const nest = new NestFixture();

  async function runInside(around: NestInterceptor, work: (job: JobContext) => unknown): Promise<RunJob> {
    @Injectable()
    class Jobs {
      @JobHandler('work', QUICKLY)
      @UseInterceptors(around)
      run(_: unknown, job: JobContext): unknown {
        return work(job);
      }
    }
    await nest.start({ providers: [Jobs] });
    return nest.run('work');
  }

  it('may call the handler again, in the same attempt', async () => {
    let calls = 0;
    const job = await runInside(
      interceptor((next) => next.handle().pipe(retry(2))),
      async () => {
        if (++calls < 3) throw new Error('not yet');
        return calls;
      },
    );
    expect(job).toMatchObject({ state: 'succeeded', result: 3, history: [{ outcome: 'succeeded' }] });
  });

  it('may set a time limit of its own', async () => {
    const job = await runInside(
      interceptor((next) => next.handle().pipe(timeout(5))),
      ({ attempt }) => (attempt === 1 ? timer(60_000) : 'in time'),
    );
    expect(job).toMatchObject({ state: 'succeeded', result: 'in time', lastError: { name: new TimeoutError().name } });
  });

  it('lets a JobOutcome through, and may answer with one', async () => {
    const nothingIsFailure = interceptor((next) =>
      next.handle().pipe(map((value) => value ?? JobOutcome.fail('nothing came of it'))),
    );
    let continued = 0;
    const job = await runInside(nothingIsFailure, () => (continued++ === 0 ? JobOutcome.continue() : undefined));
    expect(outcomes(job)).toEqual(['continued', 'failed']);
    expect(job.lastError?.message).toBe('nothing came of it');
  });
});
