import { payload } from './payload.mjs';

/** Each caller waits for its job before it enqueues the next. */
export async function callAgain(callers, work, seconds) {
  const began = performance.now();
  let count = 0;
  const call = async () => {
    while (performance.now() - began < seconds * 1_000) await work(payload(count++));
  };
  await Promise.all(Array.from({ length: callers }, call));
  return { count, seconds: (performance.now() - began) / 1_000 };
}
