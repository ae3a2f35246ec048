import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { JobHandler, JobQueue, PersistentQueueModule } from 'nestjs-persistent-queue';

/** The type whose jobs are measured. */
export const JOB_TYPE = 'bench.job';

const CHUNK = 1_000;

/** An application with one handler method for each of `types`, and otherwise default options. */
export function startApplication(store, { types = [JOB_TYPE], handle = () => undefined, ...options } = {}) {
  return NestFactory.createApplicationContext(
    {
      module: class BenchModule {},
      imports: [
        TypeOrmModule.forRoot(store.options),
        PersistentQueueModule.forRoot({ dataSource: store.options.name, synchronize: true, ...options }),
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

/** Waiting jobs with a payload of about 200 bytes. */
export async function enqueueJobs(application, count) {
  const queue = application.get(JobQueue);
  for (let first = 0; first < count; first += CHUNK) {
    const numbers = Array.from({ length: Math.min(CHUNK, count - first) }, (_, index) => first + index);
    await queue.enqueueMany(
      JOB_TYPE,
      numbers.map((number) => ({ payload: payload(number) })),
    );
  }
}

export function payload(number) {
  return { orderId: number, note: 'x'.repeat(175) };
}
