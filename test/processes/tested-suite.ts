import 'reflect-metadata';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { JobHandler, JobQueue, PersistentQueueModule } from 'nestjs-persistent-queue';
import { testQueue, usePersistentQueueTesting } from 'nestjs-persistent-queue/testing';

@Injectable()
class Jobs {
  @JobHandler('answers')
  answer(payload: unknown): unknown {
    return payload;
  }

  @JobHandler('hangs', { timeout: '15m' })
  hang(): Promise<void> {
    return new Promise(() => undefined);
  }
}

/** A suite of careless tests: an application for each, which nobody closes, with a handler that hangs. Its end is the end of all timers. */
const began = performance.now();
for (let n = 0; n < Number(process.argv[2]); n++) {
  const builder = Test.createTestingModule({ imports: [PersistentQueueModule.forRoot()], providers: [Jobs] });
  const app = await usePersistentQueueTesting(builder).compile();
  await app.init();
  const queue = testQueue(app);
  const { id } = await app.get(JobQueue).enqueue('answers', n);
  if ((await queue.run(id)).result !== n) throw new Error(`case ${n} has another result`);
  await queue.start((await app.get(JobQueue).enqueue('hangs')).id);
}
console.log(JSON.stringify({ cases: performance.now() - began, cpu: process.cpuUsage().user / 1_000 }));
