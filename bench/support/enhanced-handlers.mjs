import 'reflect-metadata';
import { Injectable, Scope, UseFilters, UseGuards, UseInterceptors, UsePipes } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { JobHandlerRegistry } from '../../dist/handler/job-handler.registry.js';
import { JobHandler, PersistentQueueModule } from './library.mjs';

const guard = { canActivate: () => true };
const pipe = { transform: (value) => value };
const interceptor = { intercept: (_, next) => next.handle() };
const filter = { catch: () => undefined };

/** What stands on each handler. */
export const ENHANCED = {
  nothing: [],
  'a guard': [UseGuards(guard)],
  'a pipe': [UsePipes(pipe)],
  'an interceptor': [UseInterceptors(interceptor)],
  'a filter': [UseFilters(filter)],
  'one of each': [UseGuards(guard), UsePipes(pipe), UseInterceptors(interceptor), UseFilters(filter)],
  'nothing, request-scoped': [],
  'one of each, request-scoped': [UseGuards(guard), UsePipes(pipe), UseInterceptors(interceptor), UseFilters(filter)],
};

/** An application with these handlers that runs no jobs by itself. Answers how each is called, and the bare method. */
export async function openEnhanced(store) {
  const app = await NestFactory.createApplicationContext(
    {
      module: class BenchModule {},
      imports: [
        TypeOrmModule.forRoot(store.options),
        PersistentQueueModule.forRoot({ dataSource: store.options.name, synchronize: true, roles: ['enqueue'] }),
      ],
      providers: Object.entries(ENHANCED).map(([name, decorators]) => handlerOf(name, decorators)),
    },
    { logger: ['error', 'warn'] },
  );
  const registry = app.get(JobHandlerRegistry, { strict: false });
  const bare = new (handlerOf('bare', []))();
  const calls = {
    'the bare method': (payload, job) => bare.handle(payload, job),
    ...Object.fromEntries(Object.keys(ENHANCED).map((name) => [name, registry.get(name).invoke])),
  };
  return { calls, close: () => app.close() };
}

function handlerOf(type, decorators) {
  class BenchJobs {
    async handle(payload) {
      return payload;
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(BenchJobs.prototype, 'handle');
  for (const decorate of [JobHandler(type), ...decorators]) decorate(BenchJobs.prototype, 'handle', descriptor);
  Injectable({ scope: type.endsWith('request-scoped') ? Scope.REQUEST : Scope.DEFAULT })(BenchJobs);
  return BenchJobs;
}
