import { randomUUID } from 'node:crypto';
import { UNFILED } from './concurrency-key.js';
import { AS_ITS_TYPE, type NewJob } from './job.js';

/** What of a schedule its jobs are made of. */
export interface FiredSchedule {
  readonly name: string;
  readonly type: string;
  /** JSON text. */
  readonly payload: string;
  /** Milliseconds. */
  readonly jitter: number;
  /** Of those who look on; by default a new one. */
  readonly traceId: string | undefined;
}

/** Its key says for which fire time it is: a handler that makes the report of a day reads it there, however late it runs. */
export function jobOfFiring(
  { name, type, payload, jitter, traceId }: FiredSchedule,
  fireTime: number,
  manual: boolean,
): NewJob {
  const late = manual ? 0 : Math.floor(Math.random() * jitter);
  return {
    type,
    payload,
    priority: 0,
    concurrencyKey: UNFILED,
    due: late === 0 ? { delay: 0 } : { at: fireTime + late },
    key: manual ? undefined : `${name}@${new Date(fireTime).toISOString()}`,
    keyScope: 'row',
    refusesOtherPayload: false,
    reference: name,
    traceId: traceId ?? randomUUID().replaceAll('-', ''),
    deadline: undefined,
    maxRetries: undefined,
    retention: AS_ITS_TYPE,
  };
}
