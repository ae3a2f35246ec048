import type { INestApplication, NestApplicationOptions } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { PersistentQueueDashboardModule, type PersistentQueueDashboardOptions } from '../../lib/dashboard/index.js';
import { AppFixture, compileApp, type AppOptions } from './app-fixture.js';
import type { TestDatabase, TestSchema } from './databases.js';

export type HttpAdapter = 'Express' | 'Fastify';

export const ADAPTERS: HttpAdapter[] = ['Express', 'Fastify'];

export interface DashboardAppOptions extends AppOptions {
  adapter?: HttpAdapter;
  dashboard?: PersistentQueueDashboardOptions;
  /** What a `main.ts` does before it listens. */
  prepare?: (app: INestApplication) => unknown;
  http?: NestApplicationOptions;
  /** Of Fastify. */
  server?: object;
}

/** What has been answered, read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Of a body that is JSON. */
  readonly json: unknown;
}

/** Applications with a dashboard that listen for requests, closed after each test. */
export class DashboardFixture {
  private schema: TestSchema | undefined;
  private readonly opened: AppFixture[] = [];
  private services = 0;
  /** Of the application that was started last. */
  origin = '';

  constructor(private readonly database: TestDatabase) {
    beforeAll(async () => {
      this.schema = await this.database.create();
    });
    afterEach(async () => {
      for (const app of this.opened.splice(0)) await app.close();
    });
    afterAll(() => this.schema?.drop());
  }

  async start(given: DashboardAppOptions): Promise<AppFixture> {
    const { adapter = 'Express', dashboard, prepare, http, server, ...options } = given;
    const imports = dashboard === undefined ? [] : [PersistentQueueDashboardModule.forRoot(dashboard)];
    const queue = { serviceName: `service-${++this.services}`, ...options.queue };
    const module = await compileApp(this.schema as TestSchema, {
      ...options,
      queue,
      imports: [...imports, ...(options.imports ?? [])],
    });
    const app = module.createNestApplication(
      (adapter === 'Express' ? new ExpressAdapter() : new FastifyAdapter(server)) as AbstractHttpAdapter,
      http,
    );
    const fixture = new AppFixture(app);
    this.opened.push(fixture);
    await prepare?.(app);
    await app.listen(0, '127.0.0.1');
    this.origin = await app.getUrl();
    return fixture;
  }

  /** Sends a request to the application that was started last. */
  async ask(
    method: string,
    path: string,
    options: { body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const { body, headers = {} } = options;
    const response = await fetch(new URL(path, this.origin), {
      method,
      redirect: 'manual',
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true && text !== '';
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
  }

  readonly get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
    this.ask('GET', path, { headers });
}
