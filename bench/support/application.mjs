import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { JOB_TYPE } from './job-type.mjs';
import { JobHandler, PersistentQueueModule } from './library.mjs';

/** An application with one handler method for each of `types`, and otherwise default options. */
export function startApplication(
  store,
  { types = [JOB_TYPE], handle = () => undefined, imports = [], ...options } = {},
) {
  return NestFactory.createApplicationContext(
    {
      module: class BenchModule {},
      imports: [
        TypeOrmModule.forRoot(store.options),
        PersistentQueueModule.forRoot({ dataSource: store.options.name, synchronize: true, ...options }),
        ...imports,
      ],
      providers: [handlersOf(types, handle)],
    },
    { logger: ['error', 'warn'] },
  );
}

/** What `@JobHandler(type) method(payload, job) {…}` in a class does, for types that are known only now. */
function handlersOf(types, handle) {
  class BenchJobs {}
  for (const [index, type] of types.entries()) {
    const descriptor = { value: async (received) => handle(received), configurable: true, writable: true };
    Object.defineProperty(BenchJobs.prototype, `job${index}`, descriptor);
    JobHandler(type)(BenchJobs.prototype, `job${index}`, descriptor);
  }
  return BenchJobs;
}

/** An application that runs nothing, to make the tables and to enqueue. */
export function startProducer(store) {
  return startApplication(store, { roles: ['enqueue'], types: [] });
}
