import { SYSTEMS } from '../systems/index.mjs';
import { milliseconds, perSecond } from './statistics.mjs';

/** What is drawn: one bar for each system on each server. */
export const CHARTS = [
  {
    name: 'drain',
    title: 'Drain: no-op jobs per second, one process, concurrency 100',
    bars: (results) => bars(results, { measure: 'drain', variant: '1 × 100', figure: 'rate' }, perSecond),
  },
  {
    name: 'enqueue',
    title: 'Enqueue: jobs per second, 32 callers',
    bars: (results) => bars(results, { measure: 'enqueue', variant: 'enqueue', figure: '32 callers' }, perSecond),
  },
  {
    name: 'latency',
    title: 'Start latency in another process, p50 (shorter is better)',
    bars: (results) => bars(results, { measure: 'latency', variant: 'other process', figure: 'p50' }, milliseconds),
  },
];

function bars(results, cell, format) {
  return results
    .systems(cell.measure)
    .map((at) => ({ ...at, value: results.median({ ...cell, ...at }) }))
    .filter(({ value }) => value !== undefined)
    .map(({ system, database, value }) => ({
      label: `${SYSTEMS[system].title} on ${database}`,
      value,
      text: format(value),
      kind: COLOURED[system] ?? 'peer',
    }));
}

const COLOURED = { ours: 'ours', bare: 'bare' };
