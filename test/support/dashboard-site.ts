import { Injectable, UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { PersistentQueueDashboardModule } from '../../lib/dashboard/dashboard.module.js';
import type { PersistentQueueDashboardOptions } from '../../lib/dashboard/dashboard-options.js';
import { AppFixture, compileApp, type AppOptions } from './app-fixture.js';
import type { TestSchema } from './databases.js';

export const LOGIN = { username: 'staff', password: 'at-3-am' };

/** HTTP basic, so that a real browser logs in by itself. */
@Injectable()
class LoginGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const { authorization } = http.getRequest<{ headers: { authorization?: string } }>().headers;
    if (authorization === loginHeader()) return true;
    http
      .getResponse<{ header(name: string, value: string): unknown }>()
      .header('WWW-Authenticate', 'Basic realm="the jobs"');
    throw new UnauthorizedException();
  }
}

function loginHeader(): string {
  return `Basic ${Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64')}`;
}

export const HTTP_ADAPTERS: readonly { name: string; create: () => AbstractHttpAdapter }[] = [
  { name: 'Express', create: () => new ExpressAdapter() },
  { name: 'Fastify', create: () => new FastifyAdapter() },
];

export interface DashboardSiteOptions extends AppOptions {
  dashboard?: Omit<PersistentQueueDashboardOptions, 'guard' | 'open'>;
}

/** An application with the dashboard behind a login, below a global prefix. */
export class DashboardSite extends AppFixture {
  private constructor(
    app: AppFixture['app'],
    /** Of the dashboard, without a slash at its end. */
    readonly url: string,
  ) {
    super(app);
  }

  static async start(
    schema: TestSchema,
    adapter: AbstractHttpAdapter,
    { dashboard, imports = [], ...options }: DashboardSiteOptions,
  ): Promise<DashboardSite> {
    const module = PersistentQueueDashboardModule.forRoot({ guard: LoginGuard, ...dashboard });
    const compiled = await compileApp(schema, { ...options, imports: [...imports, module] });
    const app = compiled.createNestApplication(adapter);
    app.setGlobalPrefix('ops');
    try {
      await app.listen(0, '127.0.0.1');
    } catch (error) {
      await app.close().catch(() => undefined);
      throw error;
    }
    return new DashboardSite(app, `${await app.getUrl()}/ops/queues`);
  }
}
