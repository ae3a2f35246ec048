import { setTimeout as sleep } from 'node:timers/promises';
import { payload } from './payload.mjs';

/** One job after the other, and when each was called for. */
export async function enqueueSlowly(enqueue, { first, count, pause }) {
  const called = {};
  for (let number = first; number < first + count; number++) {
    called[number] = now();
    await enqueue(payload(number));
    await sleep(pause);
  }
  return called;
}

/** Milliseconds, by the clock that all processes of a machine share. */
export function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}
