import { ENHANCED, openEnhanced } from '../support/enhanced-handlers.mjs';
import { median } from '../report/statistics.mjs';
import { payload as payloadOf } from '../support/payload.mjs';

const VARIANT = 'per job';
const BARE = 'the bare method';
const TURNS = 15;

/** No database has a part in it: one is enough. */
export function cells() {
  return [{ system: 'ours', variant: VARIANT, rounds: 1, database: 'sqlite' }];
}

/** What calling a handler costs in microseconds, with and without guards and the like around it: one call after the other. */
export async function run({ sizes, store }) {
  const { calls, close } = await openEnhanced(store);
  const turns = Object.fromEntries(Object.keys(calls).map((name) => [name, []]));
  try {
    // In turns: what disturbs one disturbs all.
    for (let turn = 0; turn < TURNS; turn++)
      for (const [name, call] of Object.entries(calls)) turns[name].push(await costOf(call, sizes.calls));
  } finally {
    await close();
  }
  return Object.fromEntries(Object.entries(turns).map(([name, costs]) => [name, median(costs)]));
}

async function costOf(call, count) {
  const payload = payloadOf(0);
  const { signal } = new AbortController();
  const began = performance.now();
  for (let n = 0; n < count; n++) await call(payload, { id: n, type: 'bench', attempt: 1, payload, signal });
  return ((performance.now() - began) / count) * 1_000;
}

export function tables(results) {
  const read = (figure) =>
    results.median({ measure: 'enhancers', variant: VARIANT, system: 'ours', database: 'sqlite', figure });
  const bare = read(BARE);
  const rows = [BARE, ...Object.keys(ENHANCED)]
    .filter((name) => read(name) !== undefined)
    .map((name) => ({
      'around the handler': name,
      'µs per job': read(name).toFixed(2),
      'more than the bare method': (read(name) - bare).toFixed(2),
    }));
  return [{ title: 'What calling a handler costs, by what Nest has to do around it', rows }];
}
