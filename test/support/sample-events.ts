import type { JobFacts, QueueEvent } from '../../lib/events/queue-event.js';

export const JOB: JobFacts = { id: '7', type: 'order.notify', attempt: 2, fence: 3 };

const error = 'no route to host';
const fireTime = new Date('2026-11-21T03:00:00Z');

/** One of each, and one of each kind where they differ: the compiler wants them all. */
const SAMPLES: { [Name in QueueEvent['name']]: Omit<Extract<QueueEvent, { name: Name }>, 'name'>[] } = {
  'node.registered': [{ node: 'host:1#1' }],
  'node.lost': [{ node: 'host:1#1', running: 3 }],
  'node.stopped': [{ node: 'host:1#1', released: 3 }],
  'node.rescued': [{ jobs: 3, failed: 1 }],
  'node.blocked': [{ for: 9_000, handlers: ['order.notify'] }],
  'heartbeat.on-main-thread': [{ reason: 'extra.stream is a function' }],
  'heartbeat.thread-ended': [{ error, againIn: 1_000 }],
  'job.started': [{ job: JOB }],
  'job.succeeded': [{ job: JOB }],
  'job.retried': [{ job: JOB, delay: 10_000, error, errorName: 'TypeError' }],
  'job.failed': [{ job: JOB, reason: 'error', error, errorName: 'TypeError' }],
  'job.lost': [{ job: JOB }],
  'job.overrun': [{ job: JOB, timeout: 900_000 }],
  'job.result-dropped': [{ job: JOB, error }],
  'job.incompatible': [{ job: JOB, error }],
  'job.filter-failed': [{ job: JOB, error, errorName: 'TypeError' }],
  'job.rescued': [
    { job: JOB, state: 'waiting' },
    { job: JOB, state: 'failed' },
  ],
  'instrument.failed': [{ error, errorName: 'TypeError' }],
  'lock.lost': [{ lock: 'ledger', fence: 4 }],
  'operation.warning': [{ operation: 'invoice', warning: 'it has no index' }],
  'operation.led': [{ operation: 'invoice', fence: 4 }],
  'operation.lost': [{ operation: 'invoice', fence: 4, rows: 3 }],
  'operation.bad-rows': [
    { operation: 'invoice', rows: 3, first: 'a row that is a string of 4 characters, not an object' },
  ],
  'operation.failed': [{ operation: 'invoice', during: 'update', rows: 3, error, errorName: 'TypeError' }],
  'enqueue.progress': [{ type: 'order.notify', done: 1, total: 2 }],
  'retry.progress': [{ retried: 1 }],
  'remove.progress': [{ removed: 500 }],
  'types.unhandled': [{ types: ['order.notify'] }],
  'services.unhandled': [{ services: ['shop'] }],
  'schedule.fired': [{ schedule: 'nightly', fireTime, job: JOB }],
  'schedule.skipped': [{ schedule: 'nightly', fireTime }],
  'schedule.missed': [{ schedule: 'nightly', fireTime }],
  'schedule.broken': [{ schedule: 'nightly', error }],
  'schedule.gone': [{ schedule: 'nightly' }],
  'schedule.late': [{ schedule: 'nightly', since: fireTime }],
  'schedule.recovered': [{ schedule: 'nightly' }],
  'shutdown.hooks-missing': [{}],
  'wake-ups.lost': [{ error, errorName: 'Error' }],
  'wake-ups.restored': [{ after: 30_000 }],
  'sqlite.busy-timeout': [{ timeout: 5_000 }],
  'database.retried': [{ tries: 2, wait: 3, error, errorName: 'QueryFailedError' }],
  'database.error': [{ during: 'poll', error, errorName: 'QueryFailedError' }],
};

export const sampleEvents = Object.entries(SAMPLES).flatMap(([name, samples]) =>
  samples.map((sample) => ({ name, ...sample }) as QueueEvent),
);
