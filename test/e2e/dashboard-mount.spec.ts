import {
  Controller,
  Get,
  Inject,
  Injectable,
  SetMetadata,
  UnauthorizedException,
  VersioningType,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { text as textOf } from 'node:stream/consumers';
import { PersistentQueueDashboardModule } from '../../lib/dashboard/index.js';
import { PersistentQueueModule } from '../../lib/persistent-queue.module.js';
import { QUICK } from '../support/app-fixture.js';
import { ADAPTERS, DashboardFixture } from '../support/dashboard-fixture.js';
import { boardApi, boardAssets, linksIn, type BoardPath } from '../support/dashboard-paths.js';
import { databases, type TestDatabase } from '../support/databases.js';

const PASSWORD = Symbol('PASSWORD');
const POLICY =
  /^default-src 'none'; script-src 'self'; style-src 'self' 'sha256-.+'; .*base-uri 'self'.*frame-ancestors 'none'$/;

/** It has dependencies, as guards have. */
@Injectable()
class StaffGuard implements CanActivate {
  constructor(@Inject(PASSWORD) private readonly password: string) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<IncomingMessage>();
    if (headers.authorization === undefined) throw new UnauthorizedException();
    return headers.authorization === this.password;
  }
}

@Injectable()
class CookieGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const response = context.switchToHttp().getResponse<{ header(name: string, value: string): unknown }>();
    response.header('Set-Cookie', 'seen=today');
    return true;
  }
}

const accounts = {
  module: class Accounts {},
  providers: [{ provide: PASSWORD, useValue: 'staff' }],
  exports: [PASSWORD],
};

/** Of a whole application: all but what is public needs a token. */
@Injectable()
class TokenGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    return (
      this.reflector.getAllAndOverride<true | undefined>('public', [context.getHandler(), context.getClass()]) ?? false
    );
  }
}

@Controller()
class Orders {
  @Get('orders')
  list(): string[] {
    return ['an order'];
  }

  @Get('queues-of-mine')
  mine(): string {
    return 'mine';
  }
}

const sqlite = databases().find(({ name }) => name === 'sqlite') as TestDatabase;
const PAGES: BoardPath[] = [
  '',
  '/',
  '/job-schedulers',
  '/queue/t',
  '/queue/t/1',
  '/inspect',
  '/inspect/',
  '/nothing',
].map((path) => ({ method: 'GET', path }));

describe.each(ADAPTERS)('the dashboard of an application on %s', (adapter) => {
  const site = new DashboardFixture(sqlite);

  it('is asked for by its guard, before page, assets and API alike, and lets in whom that lets in', async () => {
    await site.start({ adapter, dashboard: { guard: StaffGuard, imports: [accounts], readOnly: false } });
    const inspect = ['/inspect/api/settings', '/inspect/api/nodes'].map((path) => ({ method: 'GET', path }));
    for (const { method, path } of [...PAGES, ...boardAssets(), ...boardApi('t', '1', 's'), ...inspect]) {
      const address = `/queues${path}`;
      expect([address, (await site.ask(method, address)).status]).toEqual([address, 401]);
      const forbidden = await site.ask(method, address, { headers: { authorization: 'guest' } });
      expect([address, forbidden.status]).toEqual([address, 403]);
      expect(forbidden.headers.get('content-security-policy')).toMatch(POLICY);
    }
    const staff = { authorization: 'staff' };
    const page = await site.get('/queues', staff);
    expect(page.status).toBe(200);
    for (const link of linksIn(page.text)) expect((await site.get(`/queues/${link}`, staff)).status).toBe(200);
    expect((await site.get('/queues/api/queues', staff)).json).toEqual({ queues: [] });
  });

  it('sends its page with or without a slash, which loads all it needs from below itself and the global prefix', async () => {
    await site.start({
      adapter,
      dashboard: { open: true, path: 'ops/queues' },
      prepare: (app) => app.setGlobalPrefix('api/v1'),
    });
    for (const path of ['', '/', '?a=b', '/queue/t?status=failed']) {
      const { text, headers } = await site.get(`/api/v1/ops/queues${path}`);
      expect(text).toContain('<base href="/api/v1/ops/queues/" />');
      expect(headers.get('content-type')).toMatch(/^text\/html/);
      expect(linksIn(text).length).toBeGreaterThan(4);
      for (const link of linksIn(text)) expect((await site.get(`/api/v1/ops/queues/${link}`)).status).toBe(200);
    }
    expect((await site.get('/ops/queues')).status).toBe(404);
  });

  it('knows where it is when the application excludes it from the prefix, and when it has versions', async () => {
    await site.start({
      adapter,
      dashboard: { open: true },
      prepare: (app) =>
        app
          .setGlobalPrefix('api', { exclude: ['queues', 'queues/*path'] })
          .enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
    });
    const { text, headers } = await site.get('/queues/queue/t');
    expect(text).toContain('<base href="/queues/" />');
    expect(headers.get('content-security-policy')).toMatch(POLICY);
    expect((await site.get('/queues/api/queues')).json).toEqual({ queues: [] });
  });

  it('puts a strict policy on every answer, and lets nothing but assets be cached', async () => {
    await site.start({ adapter, dashboard: { open: true } });
    const paths = [...PAGES, ...boardAssets(), ...boardApi('t', '1', 's')];
    for (const { method, path } of paths) {
      const { headers } = await site.ask(method, `/queues${path}`);
      expect([path, headers.get('content-security-policy')]).toEqual([path, expect.stringMatching(POLICY)]);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      const isAsset = path.startsWith('/static/');
      expect([path, headers.get('cache-control')]).toEqual([path, isAsset ? 'private, no-cache' : 'no-store']);
    }
  });

  it('keeps what a guard has put on the answer, but for the headers of its own', async () => {
    await site.start({ adapter, dashboard: { guard: CookieGuard } });
    for (const path of ['', '/api/queues', '/static/favicon.ico', '/inspect/', '/inspect/api/nodes']) {
      const { status, headers } = await site.get(`/queues${path}`);
      expect([path, status, headers.get('set-cookie')]).toEqual([path, 200, 'seen=today']);
      expect(headers.get('content-security-policy')).toMatch(POLICY);
    }
  });

  it('asks no other site for anything, and has no script or style in its page', async () => {
    await site.start({ adapter, dashboard: { open: true } });
    const { text } = await site.get('/queues');
    expect(text).not.toMatch(/https?:/);
    expect(text).not.toMatch(/<style|\sstyle=|<script(?![^>]*(src=|type="application\/json"))/);
  });

  it('answers HEAD as GET, without the body', async () => {
    await site.start({ adapter, dashboard: { open: true } });
    for (const path of ['/queues', '/queues/api/queues', '/queues/static/favicon.ico', '/queues/inspect/']) {
      const [got, head] = [await site.get(path), await site.ask('HEAD', path)];
      expect([head.status, head.text]).toEqual([200, '']);
      expect(head.headers.get('content-length')).toBe(got.headers.get('content-length'));
    }
  });

  it('answers 404 below its path for what is not there, and touches nothing beside it', async () => {
    await site.start({ adapter, controllers: [Orders], dashboard: { open: true } });
    for (const path of [
      '/nothing',
      '/static',
      '/static/js',
      '/STATIC/js',
      '/static/nothing.js',
      '/api/nothing',
      '/inspect/nothing',
    ])
      expect([path, (await site.get(`/queues${path}`)).status]).toEqual([path, 404]);
    expect((await site.get('/queues/static/..%2f..%2f..%2fpackage.json')).status).toBe(404);
    for (const path of ['/orders', '/queues-of-mine']) {
      const { status, headers } = await site.get(path);
      expect([status, headers.get('content-security-policy'), headers.get('cache-control')]).toEqual([200, null, null]);
    }
    expect((await site.get('/nothing')).headers.get('referrer-policy')).toBeNull();
  });

  it('is a controller to guards of the whole application, which a decorator of theirs tells about it', async () => {
    const guard = { provide: APP_GUARD, useClass: TokenGuard };
    await site.start({ adapter, providers: [guard], dashboard: { open: true } });
    expect((await site.get('/queues/api/queues')).status).toBe(403);
    await site.start({
      adapter,
      providers: [guard],
      dashboard: { open: true, decorators: [SetMetadata('public', true)] },
    });
    expect((await site.get('/queues/api/queues')).status).toBe(200);
  });

  it('does not start with two dashboards at one path', async () => {
    const imports = ['', '/'].map((slash) =>
      PersistentQueueDashboardModule.forRoot({ open: true, path: `jobs${slash}`, decorators: [SetMetadata(slash, 1)] }),
    );
    await expect(site.start({ adapter, imports })).rejects.toThrow(
      /forRoot\(\)\.path cannot be used \(got 'jobs'\)\. Another dashboard/,
    );
  });

  it('is there for each queue module, with the jobs of that alone', async () => {
    const app = await site.start({
      adapter,
      modules: [
        PersistentQueueModule.forRoot({ ...QUICK, serviceName: 'shop' }),
        PersistentQueueModule.forRoot({ ...QUICK, serviceName: 'reports', name: 'reports', tablePrefix: 'reports_' }),
      ],
      imports: [
        PersistentQueueDashboardModule.forRoot({ open: true, path: 'queues' }),
        PersistentQueueDashboardModule.forRoot({ open: true, path: 'report-queues', queue: 'reports' }),
      ],
    });
    await app.queue.enqueue('order');
    await app.app.get<typeof app.queue>('JobQueue:reports', { strict: false }).enqueue('report');
    const names = async (path: string) =>
      ((await site.get(`${path}/api/queues`)).json as { queues: { name: string }[] }).queues.map(({ name }) => name);
    expect(await names('/queues')).toEqual(['order']);
    expect(await names('/report-queues')).toEqual(['report']);
  });

  // Fastify always has one.
  it.each(adapter === 'Express' ? [true, false] : [true])(
    'reads what is sent to it, with bodyParser: %s',
    async (bodyParser) => {
      const app = await site.start({ adapter, http: { bodyParser }, dashboard: { open: true, readOnly: false } });
      await app.queue.enqueue('t', {}, { delay: '1h' });
      const body = { data: { added: 1 }, options: { delay: 5_000 } };
      expect((await site.ask('POST', '/queues/api/queues/t/add', { body })).status).toBe(200);
      expect((await app.queue.find({ type: 't' })).jobs[0]).toMatchObject({
        payload: { added: 1 },
        state: 'scheduled',
      });
    },
  );
});

describe('the dashboard of an application on Fastify with HTTP/2', () => {
  const site = new DashboardFixture(sqlite);

  it('says that it is not there', async () => {
    await site.start({ adapter: 'Fastify', server: { http2: true }, dashboard: { open: true } });
    const session = connect(site.origin);
    try {
      const request = session.request({ ':path': '/queues/api/queues' });
      const [headers] = (await once(request, 'response')) as [IncomingHttpHeaders];
      expect([headers[':status'], JSON.parse(await textOf(request))]).toEqual([
        501,
        expect.objectContaining({ message: expect.stringMatching(/speaks HTTP\/1\.1/) }),
      ]);
    } finally {
      session.close();
    }
  });
});
