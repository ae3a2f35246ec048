import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { LABELS, QUANTITIES } from '../../lib/telemetry/quantities.js';

const page = readFileSync(join(import.meta.dirname, '../../docs/operating.md'), 'utf8');
const matches = (pattern: RegExp) => [...new Set([...page.matchAll(pattern)].map(([, found = '']) => found))];

/** As prom-client tells them, with the default prefix. */
const METRICS = QUANTITIES.map(
  ({ prometheus, kind }) => `persistent_queue_${prometheus}${kind === 'counter' ? '_total' : ''}`,
);

describe('docs/operating.md', () => {
  it('alerts on metrics that there are, by labels that they have', () => {
    const metrics = matches(/\b(persistent_queue_\w+)/g);
    expect(metrics.length).toBeGreaterThan(8);
    expect(metrics.filter((name) => !METRICS.includes(name))).toEqual([]);
    const labels = matches(/\b(?:by|on) \(([\w, ]+)\)/g).flatMap((list) => list.split(', '));
    expect(labels.filter((label) => !['service', ...LABELS].includes(label))).toEqual([]);
  });
});
