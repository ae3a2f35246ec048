// One process that runs jobs: forked by cell.mjs.
import { setTimeout as sleep } from 'node:timers/promises';
import { attachStore } from './databases/index.mjs';
import { serve, tell } from './driver/serve.mjs';
import { enqueueSlowly, now } from './support/enqueue-slowly.mjs';
import { openSystem } from './systems/index.mjs';

const TELL_EVERY = 10;

serve(async ({ system, database, address, options, handler, concurrency, countStatements }) => {
  const store = await attachStore(database, countStatements ? { ...address, countStatements } : address);
  const tally = { handled: 0, started: {} };
  const opened = await openSystem(system, store, { ...options, concurrency, handle: handlerOf(handler, tally) });
  const started = process.memoryUsage();
  const report = { ...startReporting(tally), statements: () => store.statements() };

  process.on('message', (message) => {
    void ORDERS[message.name](opened, report, message).catch((error) => tell({ name: 'failed', error: error.stack }));
  });
  tell({ name: 'ready', memory: started });
});

const ORDERS = {
  start: (opened) => opened.start(),
  statements: async (opened, report) => tell({ name: 'statements', count: await report.statements() }),

  enqueue: async ({ enqueue }, report, { first, count, pause }) => {
    tell({ name: 'enqueued', called: await enqueueSlowly(enqueue, { first, count, pause }) });
  },
  stop: async (opened, report) => {
    await opened.close();
    tell({ name: 'stopped', ...report.end() });
  },
};

function handlerOf({ kind, milliseconds }, tally) {
  switch (kind) {
    case 'no-op':
      return async () => void tally.handled++;
    case 'sleep':
      return async () => {
        await sleep(milliseconds);
        tally.handled++;
      };
    case 'clock':
      return async ({ orderId }) => {
        tally.started[orderId] = now();
        tally.handled++;
      };
  }
}

/** Tells how many jobs have been handled while they are, and how much memory that took at the most. */
function startReporting(tally) {
  let told = 0;
  const peak = { rss: 0, heapUsed: 0 };
  const timer = setInterval(() => {
    const { rss, heapUsed } = process.memoryUsage();
    peak.rss = Math.max(peak.rss, rss);
    peak.heapUsed = Math.max(peak.heapUsed, heapUsed);
    if (tally.handled > told) tell({ name: 'handled', handled: (told = tally.handled) });
  }, TELL_EVERY);
  return {
    end: () => {
      clearInterval(timer);
      return { ...tally, peak };
    },
  };
}
