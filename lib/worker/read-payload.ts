import { applySchema } from '../job/apply-schema.js';
import type { StandardSchema } from '../job/standard-schema.js';
import type { ActiveJob } from './active-job.js';

/** What the schema makes of the payload. One whose promise never settles ends with the attempt: unlike a handler, it does no work. */
export async function readPayload(active: ActiveJob, schema: StandardSchema, payload: unknown): Promise<unknown> {
  const read = applySchema(schema, payload, { type: active.job.type, at: 'run' });
  return read instanceof Promise ? orAborted(read, active.signal) : read;
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
