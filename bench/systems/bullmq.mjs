import { createPostgresBackend, Queue, setDefaultBackendFactory, Worker } from 'bullmq';

const QUEUE = 'bench';
const OPEN = ['waiting', 'active', 'delayed', 'prioritized'];

export async function open({ address }, { handle, concurrency }) {
  const onPostgres = address.type === 'postgres';
  if (onPostgres) setDefaultBackendFactory(createPostgresBackend);
  const connection = onPostgres ? { connectionString: address.url, migrate: true } : address;
  const queue = new Queue(QUEUE, { connection });
  await queue.waitUntilReady();
  const worker = handle && (await openWorker(handle, { connection, concurrency }));
  return {
    prepare: async () => undefined,
    enqueue: (payload) => queue.add('job', payload),
    enqueueMany: (payloads) => queue.addBulk(payloads.map((data) => ({ name: 'job', data }))),
    // It answers when the worker has been closed.
    start: async () => worker.run(),
    isDone: async () => (await count(queue, OPEN)) === 0,
    completed: () => queue.getCompletedCount(),
    stored: () => count(queue, [...OPEN, 'completed']),
    close: async () => {
      await worker?.close();
      await queue.close();
    },
  };
}

async function openWorker(handle, options) {
  const worker = new Worker(QUEUE, ({ data }) => handle(data), { ...options, autorun: false });
  // Without a listener it would end the process.
  worker.on('error', (error) => console.error(error));
  await worker.waitUntilReady();
  return worker;
}

async function count(queue, states) {
  return Object.values(await queue.getJobCounts(...states)).reduce((sum, each) => sum + each, 0);
}
