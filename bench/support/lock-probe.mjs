import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE = 2;

/**
 * Writes to one row of a range after the other on a connection of its own, and tells how long each write took: as long as
 * whatever had the row locked, and at least as long as a commit.
 */
export async function startProbe(store, { first, last }) {
  const waits = [];
  const stopped = new AbortController();
  const running = (async () => {
    while (!stopped.signal.aborted) {
      const id = Number(first) + Math.floor(Math.random() * (last - first));
      const began = performance.now();
      await store.query(`UPDATE pq_job SET trace_id = 'probe' WHERE id = ${id}`);
      waits.push(performance.now() - began);
      await sleep(PAUSE);
    }
  })();
  return {
    async stop() {
      stopped.abort();
      await running;
      return waits;
    },
  };
}
