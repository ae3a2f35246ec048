import { payloads } from './payload.mjs';

const CHUNK = 1_000;

/** Waiting jobs, numbered from `first`. */
export async function preload({ enqueueMany }, count, first = 0) {
  for (let done = 0; done < count; done += CHUNK) {
    await enqueueMany(payloads(first + done, Math.min(CHUNK, count - done)));
  }
}
