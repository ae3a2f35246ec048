import type { JobTally, TypeTally } from './job-tally.js';
import type { QueueReading } from './queue-readings.js';

export const LABELS = ['type', 'state', 'reason'] as const;

export type Label = (typeof LABELS)[number];

/** One number, and what it is of. */
export interface Sample {
  readonly value: number;
  readonly labels: { readonly [Name in Label]?: string };
}

/** What all numbers are read from. `reading`: `undefined` while the database does not answer; `null`: it is not asked, or not known yet. */
export interface Source {
  readonly tally: JobTally;
  readonly reading: QueueReading | undefined | null;
}

/** One metric, under both of its names. Counters are of this process, gauges of the database are of all. */
export interface Quantity {
  /** By OpenTelemetry. */
  readonly name: string;
  readonly unit: string;
  /** By Prometheus, after the prefix; of a counter before its `_total`. */
  readonly prometheus: string;
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  readonly read: (source: Source) => Sample[];
  /** What two applications of one service say together: what each has done is added up, what both have read is told once. */
  readonly merge: (one: number, other: number) => number;
}

const add = (one: number, other: number) => one + other;

/** Of the conventions, where they have one for it. */
export const QUANTITIES: readonly Quantity[] = [
  counter('messaging.client.sent.messages', 'jobs_enqueued', 'Jobs stored', ({ enqueued }) => enqueued, '{message}'),
  counter(
    'messaging.client.consumed.messages',
    'attempts_started',
    'Attempts begun',
    ({ started }) => started,
    '{message}',
  ),
  counter('persistent_queue.jobs.succeeded', 'jobs_succeeded', 'Jobs that succeeded', ({ succeeded }) => succeeded),
  counter('persistent_queue.jobs.retried', 'jobs_retried', 'Attempts that will be retried', ({ retried }) => retried),
  {
    name: 'persistent_queue.jobs.failed',
    unit: '{job}',
    prometheus: 'jobs_failed',
    kind: 'counter',
    help: 'Jobs that failed for good, by reason',
    read: ({ tally }) =>
      [...tally.entries()].flatMap(([type, { failed }]) =>
        [...failed].map(([reason, value]) => ({ value, labels: { type, reason } })),
      ),
    merge: add,
  },
  counter('persistent_queue.jobs.rescued', 'jobs_rescued', 'Jobs taken from dead nodes', ({ rescued }) => rescued),
  counter('persistent_queue.jobs.lost', 'jobs_lost', 'Attempts whose result was dropped', ({ lost }) => lost),
  {
    name: 'persistent_queue.database.errors',
    unit: '{error}',
    prometheus: 'database_errors',
    kind: 'counter',
    help: 'Errors of the database that the engine has met',
    read: ({ tally }) => [{ value: tally.databaseErrors, labels: {} }],
    merge: add,
  },
  {
    name: 'persistent_queue.attempts.running',
    unit: '{job}',
    prometheus: 'attempts_running',
    kind: 'gauge',
    help: 'Attempts that run in this process',
    read: ({ tally }) => perType(tally, ({ running }) => running),
    merge: add,
  },
  {
    name: 'persistent_queue.database.up',
    unit: '1',
    prometheus: 'database_up',
    kind: 'gauge',
    help: 'Whether the database answered when it was asked for the gauges of all processes',
    read: ({ reading }) => (reading === null ? [] : [{ value: reading === undefined ? 0 : 1, labels: {} }]),
    merge: Math.min,
  },
  ofDatabase('persistent_queue.jobs', '{job}', 'jobs', 'Jobs in the table', ({ counts }) =>
    counts.map(({ type, state, count }) => ({ value: count, labels: { type, state } })),
  ),
  ofDatabase(
    'persistent_queue.oldest_due.age',
    's',
    'oldest_due_age_seconds',
    'Since when the oldest job that has not begun is due; 0 when there is none',
    ({ counts, oldestDue }) => {
      const ages = new Map(oldestDue.map(({ type, age }) => [type, Math.max(0, age) / 1_000]));
      const types = new Set([...counts.map(({ type }) => type), ...ages.keys()]);
      return [...types].map((type) => ({ value: ages.get(type) ?? 0, labels: { type } }));
    },
  ),
  ofDatabase('persistent_queue.nodes', '{node}', 'nodes', 'Nodes of the last day', ({ nodes }) =>
    (['alive', 'silent', 'dead', 'stopped'] as const).map((state) => ({
      value: nodes.filter((node) => node.state === state).length,
      labels: { state },
    })),
  ),
  ofDatabase('persistent_queue.types.paused', '{type}', 'type_paused', 'Types that are paused: 1', ({ pausedTypes }) =>
    pausedTypes.map((type) => ({ value: 1, labels: { type } })),
  ),
  ofDatabase(
    'persistent_queue.types.unhandled',
    '{type}',
    'type_unhandled',
    'Types with waiting jobs that no living node runs: 1',
    ({ unhandledTypes }) => unhandledTypes.map((type) => ({ value: 1, labels: { type } })),
  ),
];

function counter(
  name: string,
  prometheus: string,
  help: string,
  value: (tally: TypeTally) => number,
  unit = '{job}',
): Quantity {
  return { name, unit, prometheus, kind: 'counter', help, read: ({ tally }) => perType(tally, value), merge: add };
}

function ofDatabase(
  name: string,
  unit: string,
  prometheus: string,
  help: string,
  samples: (reading: QueueReading) => Sample[],
): Quantity {
  const read = ({ reading }: Source) => (reading ? samples(reading) : []);
  return { name, unit, prometheus, kind: 'gauge', help, read, merge: Math.max };
}

function perType(tally: JobTally, value: (tally: TypeTally) => number): Sample[] {
  return [...tally.entries()].map(([type, each]) => ({ value: value(each), labels: { type } }));
}
