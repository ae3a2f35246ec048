import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { InvalidScheduleError } from '../../../lib/errors/invalid-schedule.error.js';
import type { FireTimes } from '../../../lib/schedule/spec/fire-times.js';
import { parseSpec } from '../../../lib/schedule/spec/parse-spec.js';
import { minuteByMinute } from './minute-by-minute.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Much more than any call takes, also on a busy machine, and much less than a search without an end. */
const BOUND = 1_000;

const CHANGES = [
  ['Europe/Berlin', '2027-03-28T01:00Z'],
  ['Europe/Berlin', '2027-10-31T01:00Z'],
  ['America/New_York', '2027-11-07T06:00Z'],
  ['Australia/Lord_Howe', '2027-10-02T15:30Z'],
  ['Australia/Lord_Howe', '2027-04-03T15:00Z'],
  ['America/Santiago', '2027-09-05T04:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00Z'],
] as const;

const minutes = fc.oneof(
  fc.constantFrom('*', '*/7', '*/15', '*/30', '10-50/20', '0-30'),
  fc.uniqueArray(fc.nat(59), { minLength: 1, maxLength: 4 }).map((list) => list.join(',')),
);
const hours = fc.oneof(
  fc.constantFrom('*', '?', '*/2', '*/3', '0-23', '1-3', '0/5'),
  fc.uniqueArray(fc.nat(23), { minLength: 1, maxLength: 4 }).map((list) => list.join(',')),
);
const days = fc.constantFrom(
  '* * *',
  '* * MON-FRI',
  '1,15 * *',
  'L * *',
  '15W * *',
  '* * SUN#L',
  '29 2 *',
  '13 * FRI',
  '* 3,10 SUN',
);
const specs = fc
  .tuple(fc.constantFrom('', '0 ', '30 ', '*/20 '), minutes, hours, days)
  .map(([second, ...rest]) => second + rest.join(' '));
const zones = fc.constantFrom('UTC', 'Asia/Kathmandu', ...CHANGES.map(([zone]) => zone));
const moments = fc.oneof(
  fc.integer({ min: 0, max: Date.UTC(2100, 0) }),
  fc
    .tuple(fc.constantFrom(...CHANGES), fc.integer({ min: -DAY, max: DAY }))
    .map(([[, at], offset]) => Date.parse(at) + offset),
);

describe('The fire times of any spec', () => {
  it('are after the moment, and the same whichever earlier moment one starts from', () => {
    fc.assert(
      fc.property(specs, zones, moments, fc.double({ min: 0, max: 1, noNaN: true }), (spec, zone, moment, share) => {
        const fireTimes = parseSpec(spec, zone);
        const next = fireTimes.next(moment) ?? 0;
        expect(next).toBeGreaterThan(moment);
        expect(next % 1_000).toBe(0);
        const between = moment + Math.floor((next - 1 - moment) * share);
        expect(fireTimes.next(between)).toBe(next);
        expect(fireTimes.next(next - 1)).toBe(next);
      }),
      { numRuns: 300 },
    );
  });

  it.each(CHANGES)('are those of somebody who watches the clock: %s around %s', (zone, change) => {
    const from = Date.parse(change) - 6 * HOUR;
    const to = Date.parse(change) + 6 * HOUR;
    fc.assert(
      fc.property(minutes, hours, (minute, hour) => {
        const fireTimes = parseSpec(`${minute} ${hour} * * *`, zone);
        expect(timesBetween(fireTimes, from, to)).toEqual(minuteByMinute(minute, hour, zone, from, to));
      }),
      { numRuns: 30 },
    );
  });

  it.each(['* * * * *', '@every 1m'])('end where no Date can go on: %s', (spec) => {
    const fireTimes = parseSpec(spec, 'Europe/Berlin');
    for (const never of [8.64e15, Number.POSITIVE_INFINITY, Number.NaN]) expect(fireTimes.next(never)).toBeUndefined();
    expect(fireTimes.next(-8.64e15)).toBe(0);
  });
});

describe('No spec, however hostile,', () => {
  const tokens = fc.oneof(
    fc.constantFrom(
      '7',
      '29',
      '30',
      '31',
      '59',
      '99',
      'MON',
      'FEB',
      '@every',
      '@daily',
      'TZ=',
      'UTC',
      '1e9',
      '9'.repeat(21),
    ),
    fc.string({ minLength: 1, maxLength: 1, unit: fc.constantFrom(...Array.from('*?/-,#LW 0125\n.sh')) }),
  );
  const hostile = fc.oneof(
    fc.string({ maxLength: 300, unit: 'binary' }),
    fc.array(tokens, { maxLength: 60 }).map((parts) => parts.join('')),
    fc
      .array(fc.array(tokens, { minLength: 1, maxLength: 3 }), { minLength: 5, maxLength: 6 })
      .map((fields) => fields.map((field) => field.join('')).join(' ')),
    specs,
  );

  it('is accepted and then fails, or takes long', () => {
    fc.assert(
      fc.property(hostile, moments, (spec, moment) => {
        const start = performance.now();
        try {
          expect(parseSpec(spec, 'Europe/Berlin').next(moment)).toBeGreaterThan(moment);
        } catch (error) {
          if (!(error instanceof InvalidScheduleError)) throw error;
          expect(error.position).toBeLessThanOrEqual(spec.length);
        }
        expect(performance.now() - start).toBeLessThan(BOUND);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[what: string, spec: string]>([
    ['leap days', '0 0 29 2 *'],
    ['the rarest days', '0 0 * 2 MON#5'],
    ['days that never come', '0 0 31W 2,4,6,9,11 *'],
    ['a list as long as a spec may be', `${'*,'.repeat(120)}* * * * *`],
    ['a list of days to be computed', `0 0 ${'15W,'.repeat(55)}15W 2 *`],
  ])('makes the search for %s take long', (_what, spec) => {
    const start = performance.now();
    try {
      parseSpec(spec, 'Australia/Lord_Howe').next(Date.UTC(2096, 2));
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidScheduleError);
    }
    expect(performance.now() - start).toBeLessThan(BOUND);
  });
});

function timesBetween(fireTimes: FireTimes, from: number, to: number): number[] {
  const times: number[] = [];
  for (let time = fireTimes.next(from - 1); time !== undefined && time < to; time = fireTimes.next(time))
    times.push(time);
  return times;
}
