import { BASE, POINTS } from '../measures/curves.mjs';
import { JOBS_OF_LIMITS, LIMITED, variantOf, WITHOUT as UNLIMITED } from '../measures/limits.mjs';
import { IDEAL } from '../measures/slow.mjs';
import { WITHOUT } from '../measures/telemetry.mjs';
import { microseconds, milliseconds, perSecond, percent, ratio } from './statistics.mjs';

const DATABASES = ['mariadb', 'mysql', 'postgres', 'sqlite'];
const DRAIN = { measure: 'drain', variant: '1 × 100', figure: 'rate' };
const ENQUEUE = { measure: 'enqueue', variant: 'enqueue' };
const MANY_CALLERS = { ...ENQUEUE, figure: '32 callers' };
const BULK = { ...ENQUEUE, figure: 'bulk' };

const bare = (cell, database) => ({ ...cell, system: 'bare', database });
const peer = (system, database) => ({ system, database });

/**
 * What the library promises: `figure` of ours on `on`, as it is or divided by `over`, is `atLeast` or `below`. What was not
 * measured in this run is left out.
 */
const TARGETS = [
  ...DATABASES.map((on) =>
    faster('drain 1 × 100, of the bare loop', DRAIN, on, bare(DRAIN, on), on === 'sqlite' ? 0.3 : 0.8),
  ),
  { what: 'drain 1 × 100', cell: DRAIN, on: 'sqlite', atLeast: 25_000, format: perSecond },
  faster('drain, of graphile-worker batched', DRAIN, 'postgres', peer('graphile-fast', 'postgres'), 2),
  faster('drain, of pg-boss at its fastest', DRAIN, 'postgres', peer('pg-boss-fast', 'postgres'), 1.5),
  faster('drain, of BullMQ on PostgreSQL', DRAIN, 'postgres', peer('bullmq', 'postgres'), 10),
  faster('drain, of BullMQ on Redis', DRAIN, 'mariadb', peer('bullmq', 'redis'), 1.5),
  faster('drain, of Sidequest', DRAIN, 'mariadb', peer('sidequest', 'mariadb'), 20),
  ...DATABASES.map((on) => faster('drain 4 × 25, of 1 × 100', { ...DRAIN, variant: '4 × 25' }, on, DRAIN, 0.8)),
  ...DATABASES.map((on) => ({
    what: 'jobs of 20 ms, of the ideal',
    cell: { measure: 'slow', variant: '20 ms', figure: 'rate' },
    on,
    divisor: IDEAL,
    atLeast: 0.9,
    format: ratio,
  })),
  ...DATABASES.map((on) =>
    faster('enqueue, 32 callers, of bare merged', MANY_CALLERS, on, bare(MANY_CALLERS, on), 0.6),
  ),
  faster('enqueue, 32 callers, of BullMQ on Redis', MANY_CALLERS, 'mariadb', peer('bullmq', 'redis'), 1),
  ...DATABASES.map((on) => faster('bulk, of bare multi-row', BULK, on, bare(BULK, on), 0.8)),
  latency('same process', 'p50', 3),
  latency('same process', 'p99', 15),
  latency('other process', 'p50', 30),
  latency('other process, NOTIFY', 'p50', 5, 'postgres'),
  latency('other process, Redis', 'p50', 5),
  latency('other process, Redis', 'p50', 5, 'postgres'),
  ...[
    ['NOTIFY', 'postgres'],
    ['Redis', 'mariadb'],
    ['Redis', 'postgres'],
  ].map(([way, on]) =>
    faster(
      `enqueue, 32 callers, ${way} on, of off`,
      { ...MANY_CALLERS, variant: `enqueue, ${way}` },
      on,
      MANY_CALLERS,
      0.8,
    ),
  ),
  ...DATABASES.flatMap((on) =>
    POINTS.slice(1).map((variant) => {
      const base = { measure: 'curves', variant: BASE, figure: 'rate' };
      return faster(`drain beside ${variant}, of ${BASE}`, { ...base, variant }, on, base, 0.8);
    }),
  ),
  ...DATABASES.flatMap((on) =>
    JOBS_OF_LIMITS.flatMap((jobs) =>
      LIMITED.map((kind) => {
        const base = { measure: 'limits', variant: variantOf(UNLIMITED, jobs), figure: 'rate' };
        return faster(`${jobs} jobs, ${kind}, of no limit`, { ...base, variant: variantOf(kind, jobs) }, on, base, 0.6);
      }),
    ),
  ),
  {
    what: 'calling a handler with nothing of Nest’s around it',
    cell: { measure: 'enhancers', variant: 'per job', figure: 'nothing' },
    on: 'sqlite',
    below: 5,
    format: microseconds,
  },
  ...DATABASES.map((on) => {
    const base = { measure: 'telemetry', variant: WITHOUT, figure: 'rate' };
    return faster('drain with traces and metrics, of without', { ...base, variant: 'both' }, on, base, 0.85);
  }),
  ...DATABASES.map((on) => ({
    what: 'smaller share of two nodes',
    cell: { measure: 'fairness', variant: '2 nodes', figure: 'least' },
    on,
    atLeast: 0.4,
    format: percent,
  })),
];

/** Of another system, or of another cell of ours. */
function faster(what, cell, on, over, atLeast) {
  return { what, cell, on, over: { ...cell, system: 'ours', database: on, ...over }, atLeast, format: ratio };
}

function latency(variant, figure, below, on = 'mariadb') {
  const cell = { measure: 'latency', variant, figure };
  return { what: `start latency, ${variant}, ${figure}`, cell, on, below, format: milliseconds };
}

export function targetRows(results) {
  const rows = TARGETS.map((target) => ({ target, value: valueOf(results, target) }))
    .filter(({ value }) => value !== undefined)
    .map(({ target, value }) => ({
      on: target.on,
      what: target.what,
      measured: target.format(value),
      target: target.below === undefined ? `≥ ${target.format(target.atLeast)}` : `< ${target.format(target.below)}`,
      reached: isReached(target, value) ? 'yes' : '**no**',
    }));
  return rows.length === 0 ? [] : [...rows, deadlockRow(results)];
}

function valueOf(results, { cell, on, over, divisor = 1 }) {
  const ours = results.median({ ...cell, system: 'ours', database: on });
  const other = over === undefined ? divisor : results.median(over);
  return ours === undefined || other === undefined ? undefined : ours / other;
}

function isReached({ atLeast, below }, value) {
  return below === undefined ? value >= atLeast : value < below;
}

/** Whatever reaches a caller or a job fails its cell. */
function deadlockRow({ failures }) {
  const count = failures.filter((text) => /^\S+ [^:]*ours on .*deadlock/is.test(text)).length;
  return {
    on: 'all',
    what: 'deadlocks that reached users',
    measured: count,
    target: '0',
    reached: count === 0 ? 'yes' : '**no**',
  };
}
