import {
  Inject,
  Injectable,
  Scope,
  UseGuards,
  UseInterceptors,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import {
  APP_GUARD,
  APP_INTERCEPTOR,
  ContextIdFactory,
  ModuleRef,
  REQUEST,
  type ContextId,
  type ContextIdStrategy,
} from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { map, type Observable } from 'rxjs';
import {
  InvalidOptionError,
  JobArgumentsHost,
  JobHandler,
  JobStep,
  MultiStepJob,
  type JobContext,
} from '../../lib/index.js';
import { NestFixture } from '../support/nest-fixture.js';
import { deferred } from '../support/wait-until.js';

type Tenant = { tenant: string };

/** Which instance something is. */
let births = 0;

@Injectable({ scope: Scope.REQUEST })
class Ledger {
  readonly born = ++births;
  readonly lines: string[] = [];

  constructor(@Inject(REQUEST) readonly job: JobContext) {}
}

@Injectable({ scope: Scope.TRANSIENT })
class Note {
  readonly born = ++births;
}

@Injectable()
class Shared {
  readonly born = ++births;
}

describe('request-scoped providers', () => {
  const nest = new NestFixture();

  it('are those of one job: its request, and no other’s', async () => {
    const both = deferred();
    let inside = 0;
    @Injectable()
    class Writer {
      constructor(private readonly ledger: Ledger) {}
      write(line: string): void {
        this.ledger.lines.push(line);
      }
    }
    @Injectable()
    class Jobs {
      constructor(
        private readonly ledger: Ledger,
        private readonly writer: Writer,
        private readonly shared: Shared,
      ) {}

      @JobHandler('work')
      async run({ tenant }: Tenant, job: JobContext): Promise<unknown> {
        this.writer.write(tenant);
        if (++inside === 2) both.resolve();
        await both.promise;
        this.writer.write(tenant);
        const { lines, born } = this.ledger;
        return {
          lines,
          born,
          isOwn: this.ledger.job === job,
          request: this.ledger.job.payload,
          shared: this.shared.born,
        };
      }
    }
    await nest.start({ providers: [Jobs, Ledger, Writer, Shared] });
    const [a, b] = await Promise.all([nest.run('work', { tenant: 'a' }), nest.run('work', { tenant: 'b' })]);
    expect(a.result).toMatchObject({ lines: ['a', 'a'], isOwn: true, request: { tenant: 'a' } });
    expect(b.result).toMatchObject({ lines: ['b', 'b'], isOwn: true, request: { tenant: 'b' } });
    const [first, second] = [a, b].map(({ result }) => result as { born: number; shared: number });
    expect(first?.born).not.toBe(second?.born);
    expect(first?.shared).toBe(second?.shared);
  });

  it('are made anew for each attempt, and for each step: another process may run the next', async () => {
    @Injectable()
    @MultiStepJob('work', { maxRetries: 1, waitTime: 1 })
    class Jobs {
      constructor(private readonly ledger: Ledger) {}

      @JobStep({ order: 1 })
      first(_: unknown, job: JobContext): unknown {
        if (job.attempt === 1) throw new Error('again');
        return [this.ledger.born, this.ledger.job === job];
      }

      @JobStep({ order: 2 })
      second(_: unknown, job: JobContext): unknown {
        return [this.ledger.born, this.ledger.job === job];
      }
    }
    const { queue } = await nest.start({ providers: [Jobs, Ledger] });
    const before = births;
    const { id } = await nest.run('work');
    expect((await queue.steps(id)).steps.map(({ result }) => result)).toEqual([
      [before + 2, true],
      [before + 3, true],
    ]);
  });

  it('are the same for what is resolved later, by the context of the job', async () => {
    @Injectable()
    class Jobs {
      constructor(
        private readonly ledger: Ledger,
        private readonly moduleRef: ModuleRef,
      ) {}

      @JobHandler('work')
      async run(_: unknown, job: JobContext): Promise<boolean> {
        return (await this.moduleRef.resolve(Ledger, ContextIdFactory.getByRequest(job))) === this.ledger;
      }
    }
    await nest.start({ providers: [Jobs, Ledger] });
    expect(await nest.run('work')).toMatchObject({ result: true });
  });

  it('may stand under a token that is not their class', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Jobs {
      @JobHandler('work')
      run(): string {
        return 'found';
      }
    }
    await nest.start({ providers: [{ provide: 'JOBS', useClass: Jobs }] });
    expect(await nest.run('work')).toMatchObject({ result: 'found' });
  });

  it('leave transient ones their own instance each', async () => {
    @Injectable()
    class Jobs {
      constructor(
        private readonly ledger: Ledger,
        private readonly one: Note,
        @Inject('other') private readonly other: { note: Note },
      ) {}

      @JobHandler('work')
      run(): unknown {
        return new Set([this.ledger.born, this.one.born, this.other.note.born]).size;
      }
    }
    const other = { provide: 'other', inject: [Note], useFactory: (note: Note) => ({ note }) };
    await nest.start({ providers: [Jobs, Ledger, Note, other] });
    expect(await nest.run('work')).toMatchObject({ result: 3 });
  });

  describe('that are durable', () => {
    const trees = new Map<string, ContextId>();
    const strategy: ContextIdStrategy<JobContext> = {
      attach: (contextId, job) => {
        const { tenant } = job.payload as Tenant;
        const tree = trees.get(tenant) ?? ContextIdFactory.create();
        trees.set(tenant, tree);
        return { resolve: ({ isTreeDurable }) => (isTreeDurable ? tree : contextId), payload: { tenant } };
      },
    };
    afterEach(() => {
      Reflect.set(ContextIdFactory, 'strategy', undefined);
    });

    it('are shared by the jobs of a tenant', async () => {
      @Injectable({ scope: Scope.REQUEST, durable: true })
      class Pool {
        readonly born = ++births;
      }
      @Injectable({ scope: Scope.REQUEST, durable: true })
      class Jobs {
        private readonly born = ++births;
        constructor(
          private readonly pool: Pool,
          @Inject(REQUEST) private readonly request: Tenant,
        ) {}

        @JobHandler('work')
        run(): unknown {
          return [this.pool.born, this.born, this.request.tenant];
        }
      }
      ContextIdFactory.apply(strategy);
      await nest.start({ providers: [Jobs, Pool] });
      const [first, second, other] = [
        await nest.run('work', { tenant: 'a' }),
        await nest.run('work', { tenant: 'a' }),
        await nest.run('work', { tenant: 'b' }),
      ].map(({ result }) => result as [number, number, string]);
      expect(second).toEqual(first);
      expect(other?.slice(0, 2)).not.toEqual(first?.slice(0, 2));
      expect([first?.[2], other?.[2]]).toEqual(['a', 'b']);
    });
  });
});

describe('guards and the like with a scope', () => {
  const nest = new NestFixture();

  @Injectable({ scope: Scope.REQUEST })
  class OwnJobOnly implements CanActivate {
    constructor(private readonly ledger: Ledger) {}

    canActivate(context: ExecutionContext): boolean {
      this.ledger.lines.push('guarded');
      return this.ledger.job === JobArgumentsHost.from(context).getJob();
    }
  }

  @Injectable({ scope: Scope.REQUEST })
  class Lines implements NestInterceptor {
    constructor(private readonly ledger: Ledger) {}

    intercept(_: ExecutionContext, next: { handle(): Observable<unknown> }): Observable<unknown> {
      return next.handle().pipe(map((result) => [result, ...this.ledger.lines, this.ledger.job.type]));
    }
  }

  @Injectable({ scope: Scope.TRANSIENT })
  class Transient implements CanActivate {
    readonly made = 'with its constructor';
    canActivate(): boolean {
      return this.made === 'with its constructor';
    }
  }

  function jobs(...decorators: MethodDecorator[]): Type {
    class Jobs {
      @JobHandler('work', { maxRetries: 0 })
      run(): string {
        return 'done';
      }
    }
    const method = Object.getOwnPropertyDescriptor(Jobs.prototype, 'run') as PropertyDescriptor;
    for (const decorate of decorators) decorate(Jobs.prototype, 'run', method);
    return Jobs;
  }

  it('are made for each job on a handler that is not', async () => {
    await nest.start({ providers: [Ledger, jobs(UseGuards(OwnJobOnly), UseInterceptors(Lines))] });
    for (let n = 0; n < 2; n++) expect(await nest.run('work')).toMatchObject({ result: ['done', 'guarded', 'work'] });
  });

  it('are made for each job as those of the whole application, opted in', async () => {
    await nest.start({
      providers: [
        Ledger,
        jobs(),
        { provide: APP_GUARD, useClass: OwnJobOnly, scope: Scope.REQUEST },
        { provide: APP_INTERCEPTOR, useClass: Lines, scope: Scope.REQUEST },
      ],
      queue: { globalEnhancers: true },
    });
    for (let n = 0; n < 2; n++) expect(await nest.run('work')).toMatchObject({ result: ['done', 'guarded', 'work'] });
  });

  it('are made when they are transient', async () => {
    await nest.start({ providers: [jobs(UseGuards(Transient))] });
    expect(await nest.run('work')).toMatchObject({ result: 'done' });
  });

  it('are refused when they are transient ones of the whole application: Nest would leave them out', async () => {
    const options = {
      providers: [jobs(), { provide: APP_GUARD, useClass: Transient, scope: Scope.TRANSIENT }],
      queue: { globalEnhancers: true },
    };
    const starting = nest.start(options);
    await expect(starting).rejects.toThrow(InvalidOptionError);
    await expect(starting).rejects.toThrow(/Transient is transient/);
  });
});
