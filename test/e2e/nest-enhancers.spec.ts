import {
  BadRequestException,
  Catch,
  Injectable,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type ArgumentMetadata,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
  type Provider,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { map, of, throwError, type Observable } from 'rxjs';
import {
  JobArgumentsHost,
  JobHandler,
  JobOutcome,
  JobQueue,
  JobSchedule,
  JobStep,
  MultiStepJob,
  type JobContext,
} from '../../lib/index.js';
import { waitUntil } from '../support/wait-until.js';
import { NestFixture, type RunJob } from '../support/nest-fixture.js';

interface Payload {
  n: number;
  /** What is to happen. */
  wish?: 'deny' | 'refuse' | 'throw';
}

/** Who was asked, in order, and about what. */
let asked: string[] = [];
beforeEach(() => {
  asked = [];
});

function tell(who: string, host: ArgumentsHost): Payload {
  const job = JobArgumentsHost.from(host);
  const { n } = job.getPayload<Payload>();
  asked.push(`${who} of a ${host.getType<string>()}: ${job.getJob().type} ${n}`);
  return job.getPayload();
}

/** Has a dependency, so that one which Nest did not make itself would fail. */
@Injectable()
class Rules {
  readonly denied = 'deny';
}

@Injectable()
class Guard implements CanActivate {
  constructor(private readonly rules: Rules) {}

  canActivate(context: ExecutionContext): boolean {
    const { wish } = tell(`guard before ${context.getClass().name}.${context.getHandler().name}`, context);
    return wish !== this.rules.denied;
  }
}

@Injectable()
class Pipe implements PipeTransform {
  constructor(private readonly rules: Rules) {}

  transform(payload: Payload, { type }: ArgumentMetadata): Payload {
    asked.push(`pipe of a ${type}: ${payload.n} ${this.rules.denied}`);
    if (payload.wish === 'refuse') throw new BadRequestException(['n must be positive', 'n must be odd']);
    return { ...payload, n: payload.n * 10 };
  }
}

@Injectable()
class Interceptor implements NestInterceptor {
  constructor(private readonly rules: Rules) {}

  intercept(context: ExecutionContext, next: { handle(): Observable<unknown> }): Observable<unknown> {
    tell(`interceptor with ${this.rules.denied}`, context);
    return next.handle().pipe(map((result) => ({ result })));
  }
}

@Injectable()
@Catch(RangeError)
class Filter implements ExceptionFilter {
  constructor(private readonly rules: Rules) {}

  catch(error: RangeError, host: ArgumentsHost): JobOutcome {
    tell(`filter with ${this.rules.denied}`, host);
    return JobOutcome.fail(`filtered: ${error.message}`);
  }
}

/** How a handler answers: three ways of the same. */
const KINDS = {
  sync: (work: () => unknown) => work(),
  promise: async (work: () => unknown) => work(),
  observable: (work: () => unknown) => {
    try {
      return of(work());
    } catch (error) {
      return throwError(() => error);
    }
  },
};

interface Enhancer {
  readonly decorator: MethodDecorator & ClassDecorator;
  readonly global: Provider;
  /** What it does to a job that goes well, and what it says. */
  readonly result: unknown;
  readonly says: readonly string[];
  /** What it makes of a job that it can do something about. */
  readonly wish: Payload['wish'];
  readonly failed: Partial<RunJob>;
  readonly called: boolean;
}

const ENHANCERS: Record<string, Enhancer> = {
  guard: {
    decorator: UseGuards(Guard),
    global: { provide: APP_GUARD, useClass: Guard },
    result: 3,
    says: ['guard before Jobs.run of a job: work 3'],
    wish: 'deny',
    failed: { lastError: expect.objectContaining({ name: 'JobDeniedError' }) as never },
    called: false,
  },
  pipe: {
    decorator: UsePipes(Pipe),
    global: { provide: APP_PIPE, useClass: Pipe },
    result: 30,
    says: ['pipe of a body: 3 deny'],
    wish: 'refuse',
    failed: {
      lastError: expect.objectContaining({
        name: 'PayloadRefusedError',
        message: expect.stringMatching(/n must be positive; n must be odd/),
      }) as never,
    },
    called: false,
  },
  interceptor: {
    decorator: UseInterceptors(Interceptor),
    global: { provide: APP_INTERCEPTOR, useClass: Interceptor },
    result: { result: 3 },
    says: ['interceptor with deny of a job: work 3'],
    wish: 'throw',
    failed: { lastError: expect.objectContaining({ name: 'RangeError', message: 'out of range' }) as never },
    called: true,
  },
  filter: {
    decorator: UseFilters(Filter),
    global: { provide: APP_FILTER, useClass: Filter },
    result: 3,
    says: [],
    wish: 'throw',
    failed: { lastError: expect.objectContaining({ message: 'filtered: out of range' }) as never },
    called: true,
  },
};

const PLACES = ['the method', 'the class', 'the whole application'] as const;

const MATRIX = Object.entries(ENHANCERS).flatMap(([name, enhancer]) =>
  PLACES.flatMap((place) => Object.entries(KINDS).map(([kind, answer]) => ({ name, place, kind, enhancer, answer }))),
);

let called = 0;
beforeEach(() => {
  called = 0;
});

/** A class with one handler, which says what it was given. */
function jobs(
  answer: (work: () => unknown) => unknown,
  place?: string,
  decorator?: MethodDecorator & ClassDecorator,
): Type {
  class Jobs {
    @JobHandler('work', { maxRetries: 1, waitTime: 1 })
    run(payload: Payload, job: JobContext): unknown {
      called++;
      return answer(() => {
        if (payload.wish === 'throw') throw new RangeError('out of range');
        return job.type === 'work' ? payload.n : 'no job';
      });
    }
  }
  const method = Object.getOwnPropertyDescriptor(Jobs.prototype, 'run') as PropertyDescriptor;
  if (place === 'the method') decorator?.(Jobs.prototype, 'run', method);
  if (place === 'the class') decorator?.(Jobs);
  Injectable()(Jobs);
  return Jobs;
}

/** One that says by a JobOutcome how it has ended, and by `this` who it is. */
function outcomes(answer: (work: () => unknown) => unknown, decorator: MethodDecorator = () => undefined): Type {
  @Injectable()
  class Outcomes {
    private calls = 0;

    @JobHandler('outcome')
    @decorator
    run(): unknown {
      return answer(() =>
        this.calls++ === 0 ? JobOutcome.continue() : JobOutcome.fail(`${this.constructor.name} has said so`),
      );
    }
  }
  return Outcomes;
}

describe('what Nest has put around a handler', () => {
  const nest = new NestFixture();

  it.each(MATRIX)('$name, on $place, around a handler that answers: $kind', async ({ place, enhancer, answer }) => {
    const isGlobal = place === 'the whole application';
    await nest.start({
      providers: [Rules, jobs(answer, place, enhancer.decorator), ...(isGlobal ? [enhancer.global] : [])],
      queue: { globalEnhancers: isGlobal },
    });
    expect(await nest.run('work', { n: 3 })).toMatchObject({ state: 'succeeded', result: enhancer.result });
    expect(asked).toEqual(enhancer.says);
    called = 0;
    const failed = await nest.run('work', { n: 4, wish: enhancer.wish });
    expect(failed).toMatchObject({ state: 'failed', ...enhancer.failed });
    expect(called > 0).toBe(enhancer.called);
    const isForGood = enhancer !== ENHANCERS['interceptor'];
    expect(failed.history.map(({ outcome }) => outcome)).toEqual(isForGood ? ['failed'] : ['retried', 'failed']);
  });

  it.each(Object.entries(ENHANCERS))(
    '%s: that of the whole application sees no job by default',
    async (_, { global }) => {
      await nest.start({ providers: [Rules, jobs(KINDS.sync), global] });
      expect(await nest.run('work', { n: 3, wish: 'deny' })).toMatchObject({ state: 'succeeded', result: 3 });
      expect(await nest.run('work', { n: 3, wish: 'throw' })).toMatchObject({ lastError: { message: 'out of range' } });
      expect(asked).toEqual([]);
    },
  );

  it.each(Object.entries(ENHANCERS))('%s: on a step', async (_, { decorator, result, says, wish, failed }) => {
    @Injectable()
    @MultiStepJob('work', { maxRetries: 0 })
    class Jobs {
      @JobStep({ order: 1 })
      @decorator
      run({ n, wish: wanted }: Payload): number {
        if (wanted === 'throw') throw new RangeError('out of range');
        return n;
      }
    }
    const { queue } = await nest.start({ providers: [Rules, Jobs] });
    const { id } = await nest.run('work', { n: 3 });
    expect((await queue.steps(id)).steps).toMatchObject([{ state: 'succeeded', result }]);
    expect(asked).toEqual(says);
    expect(await nest.run('work', { n: 3, wish })).toMatchObject({ state: 'failed', ...failed });
  });

  it.each(Object.entries(ENHANCERS))('%s: on a schedule', async (_, { decorator, result, says }) => {
    @Injectable()
    class Jobs {
      @JobSchedule('@every 1s', { name: 'work', payload: { n: 3 } })
      @decorator
      run({ n }: Payload): number {
        return n;
      }
    }
    const { app } = await nest.start({ providers: [Rules, Jobs] });
    const done = await waitUntil(async () => (await app.get(JobQueue).find({ state: 'succeeded' })).jobs[0]);
    expect(done).toMatchObject({ type: 'work', result });
    expect(asked.slice(0, says.length)).toEqual(says);
  });

  describe.each(Object.entries(KINDS))('a handler that answers: %s', (_, answer) => {
    /** Through Nest, because of a guard that lets everything pass, or called directly, because nothing is around it. */
    it.each([undefined, UseGuards({ canActivate: () => true })])('does the same behind %p', async (decorator) => {
      await nest.start({ providers: [jobs(answer, 'the method', decorator), outcomes(answer, decorator)] });
      expect(await nest.run('work', { n: 3 })).toMatchObject({ state: 'succeeded', result: 3 });
      expect(await nest.run('work', { n: 3, wish: 'throw' })).toMatchObject({
        state: 'failed',
        lastError: { name: 'RangeError', stack: expect.stringMatching(/nest-enhancers\.spec/) },
        history: [{ outcome: 'retried' }, { outcome: 'failed' }],
      });
      expect(await nest.run('outcome')).toMatchObject({
        lastError: { message: 'Outcomes has said so' },
        history: [{ outcome: 'continued' }, { outcome: 'failed' }],
      });
    });
  });

  it('runs in the order of Nest: guard, interceptor, pipe, handler', async () => {
    @Injectable()
    @UseGuards(Guard)
    @UseInterceptors(Interceptor)
    class Jobs {
      @JobHandler('work')
      @UsePipes(Pipe)
      run({ n }: Payload): number {
        asked.push(`handler: ${n}`);
        return n;
      }
    }
    await nest.start({ providers: [Rules, Jobs] });
    expect(await nest.run('work', { n: 3 })).toMatchObject({ result: { result: 30 } });
    expect(asked).toEqual([
      'guard before Jobs.run of a job: work 3',
      'interceptor with deny of a job: work 3',
      'pipe of a body: 3 deny',
      'handler: 30',
    ]);
  });
});
