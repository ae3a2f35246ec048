import {
  Catch,
  ForbiddenException,
  Injectable,
  Logger,
  UseFilters,
  UseGuards,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { of, throwError } from 'rxjs';
import {
  JobHandler,
  JobOutcome,
  JobQueue,
  JobSchedule,
  JobStep,
  MultiStepJob,
  PermanentJobError,
  type JobContext,
  type QueueEvent,
} from '../../lib/index.js';
import { waitUntil } from '../support/wait-until.js';
import { NestFixture, type RunJob } from '../support/nest-fixture.js';

const QUICKLY = { maxRetries: 1, waitTime: 1 };
const RETRIED = ['retried', 'failed'];

@Catch()
class Filter implements ExceptionFilter {
  constructor(private readonly answer: (error: Error, host: ArgumentsHost) => unknown) {}

  catch(error: Error, host: ArgumentsHost): unknown {
    return this.answer(error, host);
  }
}

const filter = (answer: (error: Error, host: ArgumentsHost) => unknown) => new Filter(answer);
const outcomes = ({ history }: RunJob) => history.map(({ outcome }) => outcome);

/** As in Nest's own documentation. */
const forHttp = filter((error, host) => {
  const response = host.switchToHttp().getResponse<{ status(code: number): { json(body: object): void } }>();
  response.status(500).json({ message: error.message });
});

describe('a filter around a handler', () => {
  const nest = new NestFixture();
  afterEach(() => {
    jest.restoreAllMocks();
  });

  async function runWith(answered: Filter): Promise<RunJob & { readonly events: QueueEvent[] }> {
    @Injectable()
    class Jobs {
      @JobHandler('work', QUICKLY)
      @UseFilters(answered)
      run(): never {
        throw new RangeError('out of range');
      }
    }
    const events: QueueEvent[] = [];
    const { queue } = await nest.start({ providers: [Jobs] });
    queue.events$.subscribe((event) => events.push(event));
    return { ...(await nest.run('work')), events };
  }

  it.each([
    ['nothing', () => undefined],
    ['null', () => null],
    ['a value', () => ({ statusCode: 500 })],
    ['a promise', async () => 'logged'],
    ['an Observable', () => of('logged')],
    [
      'the error, thrown again',
      (error: Error) => {
        throw error;
      },
    ],
    ['an Observable of the error, as those of microservices do', (error: Error) => throwError(() => error)],
  ])('that answers %s changes nothing', async (_, answer) => {
    const job = await runWith(filter(answer));
    expect(outcomes(job)).toEqual(RETRIED);
    expect(job.lastError).toMatchObject({ name: 'RangeError', message: 'out of range' });
    expect(job.events.filter(({ name }) => name === 'job.filter-failed')).toEqual([]);
  });

  it.each([
    ['one made for HTTP, which fails', forHttp, /status is not a function/],
    ['one that answers an Observable of another error', filter(() => throwError(() => new Error('other'))), /other/],
  ])('changes nothing when it is %s, and the log says so', async (_, answered, error) => {
    const job = await runWith(answered);
    expect(outcomes(job)).toEqual(RETRIED);
    expect(job.lastError).toMatchObject({ name: 'RangeError', message: 'out of range' });
    expect(job.events).toContainEqual({
      name: 'job.filter-failed',
      job: { id: job.id, type: 'work', attempt: 1, fence: 1 },
      error: expect.stringMatching(error),
      errorName: expect.any(String),
    });
  });

  it.each([
    ['returns', () => JobOutcome.fail('as expected')],
    ['promises', async () => JobOutcome.fail('as expected')],
    [
      'throws as a PermanentJobError',
      () => {
        throw new PermanentJobError('as expected');
      },
    ],
  ])('ends the job with what it %s', async (_, answer) => {
    const job = await runWith(filter(answer));
    expect(outcomes(job)).toEqual(['failed']);
    expect(job.lastError?.message).toBe('as expected');
  });

  it('is called once per error, and Nest does not log that a second time', async () => {
    const log = jest.spyOn(Logger.prototype, 'error');
    const seen: unknown[] = [];
    await runWith(filter((error, host) => void seen.push([error.message, host.getType<string>()])));
    expect(seen).toEqual([
      ['out of range', 'job'],
      ['out of range', 'job'],
    ]);
    const contexts = log.mock.contexts.map((logger) => Reflect.get(logger as object, 'context') as unknown);
    expect(contexts).not.toContain('ExceptionsHandler');
  });

  it('sees what a guard has thrown, and may have the job tried again', async () => {
    let denials = 0;
    @Injectable()
    class Jobs {
      @JobHandler('work', QUICKLY)
      @UseGuards({ canActivate: () => ++denials > 1 })
      @UseFilters(filter((error) => (error instanceof ForbiddenException ? JobOutcome.retry({ after: 1 }) : undefined)))
      run(): string {
        return 'done';
      }
    }
    await nest.start({ providers: [Jobs] });
    const job = await nest.run('work');
    expect(job).toMatchObject({ state: 'succeeded', result: 'done' });
    expect(outcomes(job)).toEqual(['retried', 'succeeded']);
  });

  it('does not keep what a transactional handler has written before its error', async () => {
    @Injectable()
    class Jobs {
      @JobHandler('work', { ...QUICKLY, transactional: true })
      @UseFilters(filter(() => JobOutcome.fail('filtered')))
      async run(_: unknown, job: JobContext): Promise<never> {
        await job.manager.query('INSERT INTO written VALUES (1)');
        throw new Error('after the write');
      }
    }
    const { dataSource } = await nest.start({ providers: [Jobs] });
    await dataSource.query('CREATE TABLE written (n INTEGER)');
    const job = await nest.run('work');
    expect(outcomes(job)).toEqual(['failed']);
    expect(job.lastError?.message).toBe('filtered');
    expect(await dataSource.query('SELECT * FROM written')).toEqual([]);
  });

  it('works on the steps of a class', async () => {
    @Injectable()
    @MultiStepJob('work', QUICKLY)
    @UseFilters(filter((error) => (error.message === 'again' ? JobOutcome.retry({ after: 1 }) : undefined)))
    class Jobs {
      @JobStep({ order: 1 })
      first(_: unknown, job: JobContext): string {
        if (job.attempt === 1) throw new Error('again');
        return 'second time';
      }
    }
    const { queue } = await nest.start({ providers: [Jobs] });
    const { id, state } = await nest.run('work');
    expect(state).toBe('succeeded');
    expect((await queue.steps(id)).steps).toMatchObject([{ result: 'second time', attempts: 2 }]);
  });

  it('works on a schedule, also as one of the whole application', async () => {
    @Injectable()
    class Jobs {
      @JobSchedule('@every 1s', { name: 'tick', ...QUICKLY })
      run(): never {
        throw new Error('no tick');
      }
    }
    const { app } = await nest.start({
      providers: [Jobs, { provide: APP_FILTER, useValue: filter(() => JobOutcome.fail('filtered')) }],
      queue: { globalEnhancers: true },
    });
    const failed = await waitUntil(async () => (await app.get(JobQueue).find({ state: 'failed' })).jobs[0]);
    expect(failed).toMatchObject({ type: 'tick', lastError: { message: 'filtered' } });
  });
});
