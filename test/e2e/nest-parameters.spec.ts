import {
  Body,
  Controller,
  createParamDecorator,
  DefaultValuePipe,
  Injectable,
  Param,
  ParseIntPipe,
  Scope,
  UsePipes,
  ValidationPipe,
  type ArgumentMetadata,
  type ExecutionContext,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { IsInt, IsString, Min } from 'class-validator';
import { describe, expect, it } from '@jest/globals';
import {
  defineJob,
  InvalidOptionError,
  JobArgumentsHost,
  JobHandler,
  JobPayload,
  JobRef,
  JobSchedule,
  JobStep,
  MultiStepJob,
  OnJobFailed,
  type JobContext,
} from '../../lib/index.js';
import { NestFixture } from '../support/nest-fixture.js';
import { waitUntil } from '../support/wait-until.js';

const TRANSFORM = { transform: true };

class OrderDto {
  @IsInt()
  @Min(1)
  orderId!: number;

  @IsString()
  email!: string;
}

const GOOD = { orderId: 7, email: 'a@example.com' };
const BAD = { orderId: 0, email: 3 };

const Reference = createParamDecorator((data: string, context: ExecutionContext) => {
  const { reference } = JobArgumentsHost.from(context).getJob();
  return `${data}${reference}`;
});

@Injectable()
class Ten {
  readonly value = 10;
}

@Injectable()
class TimesTen implements PipeTransform {
  constructor(private readonly ten: Ten) {}

  transform(value: number): number {
    return value * this.ten.value;
  }
}

@Injectable({ scope: Scope.REQUEST })
class TimesTenPerJob extends TimesTen {}

describe('the parameters of a handler', () => {
  const nest = new NestFixture();

  async function resultOf(jobs: Type, payload: unknown, reference = 'r-1'): Promise<unknown> {
    await nest.start({ providers: [Ten, jobs] });
    return (await nest.run('work', payload, { reference })).result;
  }

  it('are the payload and the job, wherever they are decorated', async () => {
    class Jobs {
      @JobHandler('work')
      run(@JobRef() job: JobContext, @JobPayload() payload: unknown): unknown {
        return [job.type, payload, job.payload];
      }
    }
    expect(await resultOf(Jobs, { n: 1 })).toEqual(['work', { n: 1 }, { n: 1 }]);
  });

  it('may be one property of the payload, through pipes', async () => {
    class Jobs {
      @JobHandler('work')
      run(
        @JobPayload('n', ParseIntPipe) n: number,
        @JobPayload('missing', new DefaultValuePipe('default')) missing: string,
        @JobPayload('text') text: string,
      ): unknown {
        return [n, missing, text];
      }
    }
    expect(await resultOf(Jobs, { n: '12', text: 'as it is' })).toEqual([12, 'default', 'as it is']);
  });

  it('have no property when the payload is none that has some', async () => {
    class Jobs {
      @JobHandler('work')
      run(@JobPayload('n') n: unknown): unknown {
        return [n ?? 'nothing'];
      }
    }
    expect(await resultOf(Jobs, null)).toEqual(['nothing']);
  });

  it('keep their places when only others are decorated', async () => {
    class Jobs {
      @JobHandler('work')
      run(payload: unknown, job: JobContext, @Reference('#') reference: string): unknown {
        return [payload, job.type, reference];
      }
    }
    expect(await resultOf(Jobs, { n: 1 }, 'r-2')).toEqual([{ n: 1 }, 'work', '#r-2']);
  });

  it.each([TimesTen, TimesTenPerJob])('have pipes that Nest makes, with what they depend on: %p', async (pipe) => {
    class Jobs {
      @JobHandler('work')
      run(@JobPayload('n', pipe) n: number): number {
        return n;
      }
    }
    expect(await resultOf(Jobs, { n: 4 })).toBe(40);
  });

  it('have pipes of the method for payloads only: the job is no payload', async () => {
    const seen: ArgumentMetadata[] = [];
    const look: PipeTransform = {
      transform: (value, metadata) => {
        seen.push(metadata);
        return value as unknown;
      },
    };
    class Jobs {
      @JobHandler('work')
      @UsePipes(look)
      run(payload: OrderDto, job: JobContext): unknown {
        return [payload, job.type];
      }
    }
    expect(await resultOf(Jobs, GOOD)).toEqual([GOOD, 'work']);
    expect(seen).toMatchObject([{ type: 'body', metatype: OrderDto, data: undefined }]);
  });

  describe.each([
    ['without decorators', false],
    ['decorated', true],
  ])('with a class for the payload, %s', (_, isDecorated) => {
    function jobs(...decorators: MethodDecorator[]): Type {
      class Jobs {
        run(payload: OrderDto, job: JobContext): unknown {
          return [payload instanceof OrderDto, payload, job.type];
        }
      }
      const method = Object.getOwnPropertyDescriptor(Jobs.prototype, 'run') as PropertyDescriptor;
      for (const decorate of [JobHandler('work'), ...decorators]) decorate(Jobs.prototype, 'run', method);
      if (isDecorated) JobPayload()(Jobs.prototype, 'run', 0);
      Reflect.defineMetadata('design:paramtypes', [OrderDto, Object], Jobs.prototype, 'run');
      return Jobs;
    }

    it.each([
      ['of the method', () => ({ providers: [jobs(UsePipes(new ValidationPipe(TRANSFORM)))] })],
      [
        'of the whole application, opted in',
        () => ({
          providers: [jobs(), { provide: APP_PIPE, useValue: new ValidationPipe(TRANSFORM) }],
          queue: { globalEnhancers: true },
        }),
      ],
    ])('are validated by a ValidationPipe %s', async (__, options) => {
      await nest.start(options());
      expect(await nest.run('work', GOOD)).toMatchObject({ result: [true, GOOD, 'work'] });
      expect(await nest.run('work', BAD)).toMatchObject({
        state: 'failed',
        retries: 0,
        lastError: {
          name: 'PayloadRefusedError',
          message: expect.stringMatching(/orderId must not be less than 1; email must be a string$/),
          cause: { name: 'BadRequestException' },
        },
      });
    });
  });

  it('are checked by the compiler for a definition, decorated or not', async () => {
    const Order = defineJob<{ orderId: number; email: string }>('work');
    class Jobs {
      @JobHandler(Order)
      @UsePipes(new ValidationPipe())
      run(@JobPayload() { orderId }: OrderDto): number {
        return orderId;
      }
    }
    expect(await resultOf(Jobs, GOOD)).toBe(7);
  });

  it('are those of a route too, where the method is one', async () => {
    @Controller()
    class Jobs {
      @JobHandler('work')
      run(@Body() payload: unknown, @Param('id') second: JobContext): unknown {
        return [payload, second.type];
      }
    }
    expect(await resultOf(Jobs, { n: 1 })).toEqual([{ n: 1 }, 'work']);
  });

  it('are decorated on steps and their callbacks, whose error keeps its place', async () => {
    const seen: unknown[] = [];
    @MultiStepJob('work', { maxRetries: 0 })
    @UsePipes(new ValidationPipe())
    class Jobs {
      @JobStep({ order: 1 })
      first(@JobPayload('n') n: number, @JobRef() job: JobContext): never {
        throw new Error(`${n} ${job.type}`);
      }

      @OnJobFailed()
      failed(@JobPayload() context: unknown, job: JobContext, error: Error): void {
        seen.push(context, job.type, error.message);
      }
    }
    await nest.start({ providers: [Jobs] });
    await nest.run('work', { n: 3 });
    expect(seen).toEqual([{ n: 3 }, 'work', '3 work']);
  });

  it('are decorated on schedules', async () => {
    const seen: unknown[] = [];
    class Jobs {
      @JobSchedule('@every 1s', { payload: { n: '5' } })
      run(@JobRef() job: JobContext, @JobPayload('n', ParseIntPipe) n: number): void {
        seen.push([job.type, n]);
      }
    }
    await nest.start({ providers: [Jobs] });
    await waitUntil(() => seen.length > 0);
    expect(seen[0]).toEqual(['Jobs.run', 5]);
  });
});

describe('JobArgumentsHost', () => {
  it('refuses the context of a request, naming its type', () => {
    const host = { getType: () => 'http', getArgs: () => [] } as unknown as ExecutionContext;
    expect(() => JobArgumentsHost.from(host)).toThrow(InvalidOptionError);
    expect(() => JobArgumentsHost.from(host)).toThrow(/got 'http'.*host\.getType\(\) is 'job'/);
  });
});
