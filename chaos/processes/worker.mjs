import { JobQueue, JobRepository, PersistentQueue } from 'nestjs-persistent-queue';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { POOL } from '../databases/server.mjs';
import { plantedRepository } from './planted-repository.mjs';
import { createApplication, endWithParent, readSettings } from './application.mjs';
import { handlersOf } from './handlers.mjs';

endWithParent();
const { dialect, database, lease, plant } = readSettings();
let queue;

const application = await createApplication(
  database,
  {
    lease,
    concurrency: 20,
    poll: { min: '20ms', max: '500ms' },
    shutdownTimeout: '5s',
    overrides: [{ provide: JobRepository, useClass: plantedRepository(plant) }],
  },
  [handlersOf(() => ({ queue, dialect }))],
);
queue = application.get(JobQueue);
application.enableShutdownHooks();
const dataSource = application.get(DataSource);

process.on('message', (message) => {
  if (message.kind === 'fill the pool') void fillPool(message.ms).catch(() => undefined);
  if (message.kind === 'hold the write lock') void holdWriteLock(message.ms).catch(() => undefined);
});
await application.get(PersistentQueue).start();
process.send({ kind: 'ready' });

/** All connections of the application's pool, as an application that leaks them would. */
async function fillPool(ms) {
  const runners = Array.from({ length: POOL }, () => dataSource.createQueryRunner());
  await Promise.allSettled(runners.map((runner) => runner.connect()));
  await sleep(ms);
  await Promise.allSettled(runners.map((runner) => runner.release()));
}

/** On SQLite nobody else can write until this ends, or its process does. */
async function holdWriteLock(ms) {
  await queue.transaction(async (manager) => {
    await manager.query("INSERT INTO purchase (token) VALUES ('never')");
    process.send({ kind: 'holding' });
    await sleep(ms);
    throw new Error('Held for long enough.');
  });
}
