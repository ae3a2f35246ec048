import { InvalidScheduleError } from '../../errors/invalid-schedule.error.js';
import { Calendar } from './calendar.js';
import { CronFireTimes } from './cron-fire-times.js';
import { readCronFields, splitFields } from './cron-fields.js';
import { EveryFireTimes } from './every-fire-times.js';
import type { FireTimes } from './fire-times.js';
import { SpecPart } from './spec-part.js';
import { TimeZone } from './time-zone.js';

const LONGEST = 255;
const ALLOWED = `Write a cron spec such as '30 6 * * MON-FRI', '@every 10m' or '@daily'.`;
const ZONES = `Use a name of the IANA database, such as 'Europe/Berlin', 'Etc/GMT-2' or 'UTC'.`;

const NICKNAMES: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/**
 * The fire times of a schedule; throws `InvalidScheduleError`. `CRON_TZ=` in the spec wins over `timeZone`. Without either
 * the zone is UTC and not the one of the process: all nodes of a cluster must compute the same times, however each is set up.
 */
export function parseSpec(spec: unknown, timeZone: string | undefined): FireTimes {
  const text = readText(spec);
  const [, prefix = '', name] = /^([ \t]*(?:CRON_)?TZ=)([^ \t]*)/.exec(text.text) ?? [];
  const zoneOfOption = zoneOf(timeZone);
  if (name === undefined) return parseBody(text, zoneOfOption);
  const zone = TimeZone.named(name);
  const part = text.slice(prefix.length, prefix.length + name.length);
  if (zone === undefined) throw part.fault(`no time zone '${name}' is known`, ZONES);
  return parseBody(text.slice(prefix.length + name.length), zone);
}

/** The next `count` fire times of a spec after a moment. */
export function previewSpec(spec: unknown, timeZone: string | undefined, after: number, count: number): number[] {
  const fireTimes = parseSpec(spec, timeZone);
  const times: number[] = [];
  for (let time = fireTimes.next(after); time !== undefined && times.length < count; time = fireTimes.next(time)) {
    times.push(time);
  }
  return times;
}

function readText(spec: unknown): SpecPart {
  if (typeof spec !== 'string') throw new InvalidScheduleError('spec', spec, 'it is no text', ALLOWED);
  if (spec.length > LONGEST) {
    throw new InvalidScheduleError('spec', spec, `it is longer than ${LONGEST} characters`, ALLOWED, LONGEST);
  }
  const text = new SpecPart(spec, 0, spec);
  const [strange] = text.match(/[^\t\u0020-\u007e]/gu);
  if (strange !== undefined) throw strange.fault(`an unexpected character ${JSON.stringify(strange.text)}`, ALLOWED);
  return text;
}

function zoneOf(timeZone: string | undefined): TimeZone {
  const zone = TimeZone.named(timeZone ?? 'UTC');
  if (zone === undefined) throw new InvalidScheduleError('timeZone', timeZone, 'no such time zone is known', ZONES);
  return zone;
}

function parseBody(body: SpecPart, zone: TimeZone): FireTimes {
  const [first, ...rest] = splitFields(body);
  if (first === undefined) throw body.fault('nothing is written', ALLOWED);
  if (!first.text.startsWith('@')) return parseCron(body, zone);
  const name = first.text.toLowerCase();
  const takesDuration = name === '@every';
  const [excess] = takesDuration ? rest.slice(1) : rest;
  if (excess !== undefined) throw excess.fault(`'${excess.text}' after ${first.text}`, 'Leave it out.');
  if (takesDuration) return EveryFireTimes.parse(rest[0] ?? body.slice(body.text.length));
  const cron = NICKNAMES[name];
  if (cron === undefined) {
    throw first.fault(`'${first.text}' is not known`, `Use @every or one of ${Object.keys(NICKNAMES).join(', ')}.`);
  }
  return parseCron(new SpecPart(cron, 0, cron), zone);
}

function parseCron(body: SpecPart, zone: TimeZone): FireTimes {
  const fields = readCronFields(body);
  const calendar = new Calendar(fields);
  if (calendar.next(0) === undefined) {
    const day = splitFields(body).at(-3) ?? body;
    throw day.fault(`no month of this spec ever has the day '${day.text}'`, 'Write a day that one of its months has.');
  }
  const isHourly = fields.hour.values.size === 24;
  const isRepeated = isHourly || fields.second.isRhythm || fields.minute.isRhythm || fields.hour.isRhythm;
  return new CronFireTimes(calendar, zone, { isHourly, isRepeated });
}
