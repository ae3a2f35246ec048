import { type CronField, type CronFieldKind, readCronField, readValue } from './cron-field.js';
import type { SpecPart } from './spec-part.js';

export interface CronFields {
  readonly second: CronField;
  readonly minute: CronField;
  readonly hour: CronField;
  readonly day: CronField;
  readonly month: CronField;
  readonly weekday: CronField;
}

const FIELDS =
  'Write five fields (minute hour day month weekday), or six with the second first; years are not supported.';
const LISTS = 'lists (1,5), ranges (1-5) and steps (*/5)';
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

const SECOND = plain('second', 0, 59);
const MINUTE = plain('minute', 0, 59);
const HOUR = plain('hour', 0, 23);
const MONTH = { ...plain('month', 1, 12), names: MONTHS, allowed: `Write 1-12 or JAN-DEC, *, ${LISTS}.` };

const DAY: CronFieldKind = {
  ...plain('day of the month', 1, 31),
  allowed: `Write 1-31, *, ${LISTS}, L (the last day), 15W (the weekday nearest to the 15th) or LW (the last weekday).`,
  special(item, kind) {
    const text = item.text.toUpperCase();
    if (text === 'L' || text === 'LW') return text;
    if (!/^\w+W$/.test(text)) return undefined;
    return `${readValue(kind, item.slice(0, -1))}W`;
  },
};

const WEEKDAY: CronFieldKind = {
  ...plain('weekday', 0, 7),
  names: WEEKDAYS,
  allowed: `Write 0-7 (0 and 7 are Sunday) or SUN-SAT, *, ${LISTS}, TUE#2 (the second Tuesday) or FRI#L (the last Friday).`,
  special(item, kind) {
    const [, name = '', nth = ''] = /^(\w+)#(\w)$/.exec(item.text) ?? /^(\d|[a-z]{3})(L)$/i.exec(item.text) ?? [];
    if (!/^[1-5L]$/i.test(nth)) return undefined;
    return `${readValue(kind, item.slice(0, name.length)) % 7}#${nth.toUpperCase()}`;
  },
};

/** Without a second a spec means the beginning of the minute. */
const FIRST_SECOND: CronField = { values: new Set([0]), specials: [], isStar: false, isRhythm: false };

export function splitFields(spec: SpecPart): SpecPart[] {
  return spec.match(/[^ \t]+/g);
}

/** Five fields, or six with the second first. */
export function readCronFields(spec: SpecPart): CronFields {
  const parts = splitFields(spec);
  if (parts.length < 5) throw spec.slice(spec.text.trimEnd().length).fault(`${parts.length} of 5 fields`, FIELDS);
  if (parts[6] !== undefined) throw parts[6].fault(`'${parts[6].text}' is a field too many`, FIELDS);
  const read = (kind: CronFieldKind, index: number): CronField => {
    const part = parts.at(index);
    return part === undefined ? FIRST_SECOND : readCronField(kind, part);
  };
  return {
    second: read(SECOND, -6),
    minute: read(MINUTE, -5),
    hour: read(HOUR, -4),
    day: read(DAY, -3),
    month: read(MONTH, -2),
    weekday: read(WEEKDAY, -1),
  };
}

function plain(name: string, smallest: number, largest: number): CronFieldKind {
  return { name, smallest, largest, names: [], allowed: `Write ${smallest}-${largest}, *, ${LISTS}.` };
}
