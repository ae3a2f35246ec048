import { startApplication } from '../support/application.mjs';
import { JOB_TYPE } from '../support/job-type.mjs';
import { LIMITS } from '../support/limits.mjs';
import { TELEMETRY } from '../support/telemetry.mjs';
import { WAKE_UPS } from '../support/wake-ups.mjs';
import { JobQueue, PersistentQueue } from '../support/library.mjs';
import { completedSql, isDoneSql, numberOf, storedSql } from '../support/job-tables.mjs';

/** Default options, but for what is varied. */
export async function open(
  store,
  { handle, concurrency, telemetry = 'none', wakeUps = 'none', limits = 'none', ...options },
) {
  const application = await startApplication(store, {
    imports: await TELEMETRY[telemetry](),
    wakeUps: WAKE_UPS[wakeUps](),
    ...(handle === undefined
      ? { roles: ['enqueue'], types: [], handlers: LIMITS[limits]() }
      : { handle, autoStart: false, concurrency, handlers: limitedTo(LIMITS[limits](), concurrency) }),
    ...options,
  });
  const queue = application.get(JobQueue);
  return {
    prepare: async () => undefined,
    enqueue: (payload) => queue.enqueue(JOB_TYPE, payload),
    enqueueMany: (payloads) =>
      queue.enqueueMany(
        JOB_TYPE,
        payloads.map((payload) => ({ payload })),
      ),
    enqueueInTransaction: (row, payload) =>
      queue.transaction(async (manager) => {
        await manager.query(row);
        await queue.enqueue(JOB_TYPE, payload);
      }),
    start: () => application.get(PersistentQueue).start(),
    isDone: async () => (await store.query(isDoneSql)).length === 0,
    completed: async () => numberOf(await store.query(completedSql({ history: true }))),
    stored: async () => numberOf(await store.query(storedSql)),
    close: () => application.close(),
    application,
  };
}

function limitedTo(handlers, concurrency) {
  return { ...handlers, [JOB_TYPE]: { concurrency, ...handlers[JOB_TYPE] } };
}
