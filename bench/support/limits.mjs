import { JOB_TYPE } from './job-type.mjs';

const KEYS = 50;
/** Of all processes together, and of all keys together. */
const SLOTS = 100;
/** A type beside the measured one. */
export const RATED_TYPE = 'bench.rated';
export const RATE = { max: 100, per: 1_000 };

/** Options of handlers, by the variant of the measure. The producer has them too: it writes the keys. */
export const LIMITS = {
  none: () => ({}),
  keys: () => ({
    [JOB_TYPE]: { concurrencyKey: { from: ({ orderId }) => `tenant-${orderId % KEYS}`, limit: SLOTS / KEYS } },
  }),
  global: () => ({ [JOB_TYPE]: { globalConcurrency: SLOTS } }),
  'rated beside': () => ({ [RATED_TYPE]: { rateLimit: RATE } }),
};
