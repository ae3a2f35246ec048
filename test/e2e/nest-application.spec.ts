import {
  Body,
  Controller,
  Get,
  Injectable,
  Post,
  UnauthorizedException,
  ValidationPipe,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { IncomingMessage } from 'node:http';
import { IsInt } from 'class-validator';
import { describe, expect, it } from '@jest/globals';
import { tap, type Observable } from 'rxjs';
import { JobHandler, JobQueue, JobSchedule, JobStep, MultiStepJob } from '../../lib/index.js';
import { NestFixture } from '../support/nest-fixture.js';
import { waitUntil } from '../support/wait-until.js';

class OrderDto {
  @IsInt()
  orderId!: number;
}

/** As applications have it: it knows of nothing but requests. */
@Injectable()
class JwtGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<IncomingMessage>();
    if (headers.authorization !== 'Bearer a.good.token') throw new UnauthorizedException();
    return true;
  }
}

class LoggingInterceptor implements NestInterceptor {
  readonly lines: string[] = [];

  intercept(context: ExecutionContext, next: { handle(): Observable<unknown> }): Observable<unknown> {
    const { method, url } = context.switchToHttp().getRequest<IncomingMessage>();
    return next.handle().pipe(tap(() => this.lines.push(`${String(method)} ${String(url)}`)));
  }
}

@Controller('orders')
class Orders {
  constructor(private readonly queue: JobQueue) {}

  @Post()
  async create(@Body() { orderId }: OrderDto): Promise<{ id: string }> {
    return { id: (await this.queue.enqueue('notify', { orderId })).id };
  }

  @Get()
  list(): string[] {
    return [];
  }
}

@Injectable()
class OrderJobs {
  ticks = 0;

  @JobHandler('notify')
  notify(payload: OrderDto): unknown {
    return { notified: payload.orderId };
  }

  @JobSchedule('@every 1s')
  tick(): void {
    this.ticks++;
  }
}

@Injectable()
@MultiStepJob('order')
class OrderSteps {
  @JobStep({ order: 1 })
  charge(order: { charged?: boolean }): void {
    order.charged = true;
  }
}

describe('an application with a JWT guard, a ValidationPipe and a logging interceptor for everything', () => {
  const nest = new NestFixture();

  it('runs handlers, steps and schedules as if they were not there, and requests as before', async () => {
    const logging = new LoggingInterceptor();
    const jobs = new OrderJobs();
    const url = await nest.listen(
      {
        controllers: [Orders],
        providers: [{ provide: OrderJobs, useValue: jobs }, OrderSteps, { provide: APP_GUARD, useClass: JwtGuard }],
      },
      (app) => {
        app.useGlobalPipes(new ValidationPipe({ transform: true, forbidNonWhitelisted: true, whitelist: true }));
        app.useGlobalInterceptors(logging);
      },
    );
    const post = (body: object, authorization = 'Bearer a.good.token') =>
      fetch(`${url}/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body: JSON.stringify(body),
      });
    expect((await post({ orderId: 1 }, 'Bearer forged')).status).toBe(401);
    expect((await post({ orderId: 'one' })).status).toBe(400);
    const { id } = (await (await post({ orderId: 1 })).json()) as { id: string };
    expect(await nest.ended(id)).toMatchObject({ state: 'succeeded', result: { notified: 1 }, retries: 0 });
    expect(await nest.run('notify', { orderId: 'one', more: true })).toMatchObject({ result: { notified: 'one' } });
    expect(await nest.run('order', {})).toMatchObject({ state: 'succeeded', result: { charged: true } });
    await waitUntil(() => jobs.ticks > 0);
    expect(logging.lines).toEqual(['POST /orders']);
  });

  it('hands jobs to them when it opts in: the guard, which knows only requests, denies each of them at once', async () => {
    await nest.start({
      providers: [OrderJobs, { provide: APP_GUARD, useClass: JwtGuard }],
      queue: { globalEnhancers: true },
    });
    expect(await nest.run('notify', { orderId: 1 })).toMatchObject({
      state: 'failed',
      retries: 0,
      lastError: { name: 'JobDeniedError', message: expect.stringMatching(/getType\(\)/) },
    });
  });
});
