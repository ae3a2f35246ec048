import { Controller, Inject, Injectable, Post, UseInterceptors, type ExecutionContext } from '@nestjs/common';
import type { ClsService as Cls } from 'nestjs-cls';
import { describe, expect, it } from '@jest/globals';
import { JobArgumentsHost, JobHandler, JobQueue, JobStep, MultiStepJob } from '../../lib/index.js';
import { NestFixture } from '../support/nest-fixture.js';
import { ClsInterceptor, ClsModule, ClsService } from '../support/nestjs-cls.js';

/** Anything deep inside of the application that wants to know for whom it works. */
@Injectable()
class Tracer {
  constructor(@Inject(ClsService) private readonly cls: Cls) {}

  async trace(): Promise<unknown> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.cls.getId();
  }
}

@Controller('orders')
class Orders {
  constructor(
    private readonly queue: JobQueue,
    @Inject(ClsService) private readonly cls: Cls,
  ) {}

  @Post()
  async create(): Promise<string[]> {
    const traceId = this.cls.getId();
    const jobs = await Promise.all(['work', 'steps'].map((type) => this.queue.enqueue(type, {}, { traceId })));
    return jobs.map(({ id }) => id);
  }
}

@Injectable()
@UseInterceptors(ClsInterceptor)
class Jobs {
  constructor(private readonly tracer: Tracer) {}

  @JobHandler('work')
  work(): Promise<unknown> {
    return this.tracer.trace();
  }
}

@Injectable()
@MultiStepJob('steps')
@UseInterceptors(ClsInterceptor)
class Steps {
  constructor(private readonly tracer: Tracer) {}

  @JobStep({ order: 1 })
  first(): Promise<unknown> {
    return this.tracer.trace();
  }
}

const traceOf = (context: ExecutionContext) => JobArgumentsHost.from(context).getJob().traceId ?? 'none';

const cls = ClsModule.forRoot({
  global: true,
  middleware: {
    mount: true,
    generateId: true,
    idGenerator: (request: Request) => Reflect.get(request.headers, 'x-trace'),
  },
  interceptor: { generateId: true, idGenerator: traceOf },
});

describe('nestjs-cls', () => {
  const nest = new NestFixture();

  it('has in the handler what it has had in the request: the trace goes with the job', async () => {
    const url = await nest.listen({ imports: [cls], controllers: [Orders], providers: [Tracer, Jobs, Steps] });
    const order = async (trace: string) => {
      const response = await fetch(`${url}/orders`, { method: 'POST', headers: { 'x-trace': trace } });
      return (await response.json()) as [string, string];
    };
    const traces = ['t-1', 't-2'];
    for (const [index, [work, steps]] of (await Promise.all(traces.map(order))).entries()) {
      expect(await nest.ended(work)).toMatchObject({ traceId: traces[index], result: traces[index] });
      expect(await nest.ended(steps)).toMatchObject({ state: 'succeeded', traceId: traces[index] });
      expect((await nest.stepsOf(steps)).steps).toMatchObject([{ result: traces[index] }]);
    }
  });
});
