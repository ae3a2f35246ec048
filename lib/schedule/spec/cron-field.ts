import type { SpecPart } from './spec-part.js';

/** One field of a spec, read. */
export interface CronField {
  readonly values: ReadonlySet<number>;
  /** What is more than a value: `L`, `15W`, `2#1`, `5#L`. */
  readonly specials: readonly string[];
  /** A star or a question mark, also with a step of 1: no restriction. */
  readonly isStar: boolean;
  /** With a star or a step: a rhythm rather than fixed times. */
  readonly isRhythm: boolean;
}

export interface CronFieldKind {
  readonly name: string;
  readonly smallest: number;
  readonly largest: number;
  /** What may be written for `smallest`, `smallest + 1` and so on. */
  readonly names: readonly string[];
  readonly allowed: string;
  /** Reads what only this field has, such as `L`; undefined: nothing of that kind. */
  special?(item: SpecPart, kind: CronFieldKind): string | undefined;
}

const STAR = /^[*?](?:\/0*1)?$/;
const ITEM = /^([*?]|\w+)(?:(-)(\w+))?(?:(\/)(\w+))?$/;

export function readCronField(kind: CronFieldKind, field: SpecPart): CronField {
  const values = new Set<number>();
  const specials: string[] = [];
  for (const item of field.split(',')) {
    const special = kind.special?.(item, kind);
    if (special === undefined) addValues(kind, item, values);
    else specials.push(special);
  }
  return { values, specials, isStar: STAR.test(field.text), isRhythm: /[*?/]/.test(field.text) };
}

/** A number or a name in the field's range. */
export function readValue(kind: CronFieldKind, part: SpecPart): number {
  const named = kind.names.indexOf(part.text.toUpperCase());
  const value = named === -1 ? Number(/^\d{1,4}$/.exec(part.text)?.[0]) : kind.smallest + named;
  if (value >= kind.smallest && value <= kind.largest) return value;
  throw fault(kind, part);
}

function addValues(kind: CronFieldKind, item: SpecPart, values: Set<number>): void {
  const match = ITEM.exec(item.text);
  if (match === null) throw fault(kind, item);
  const [, first = '', dash, last = '', slash, step = ''] = match;
  const isStar = first === '*' || first === '?';
  if (isStar && dash !== undefined) throw fault(kind, item);
  const afterFirst = first.length + 1;
  const from = isStar ? kind.smallest : readValue(kind, item.slice(0, first.length));
  const to = dash === undefined ? from : readEnd(kind, item.slice(afterFirst, afterFirst + last.length), from);
  // `5/10` is `5-59/10`, as in other crons.
  const isOpen = isStar || (dash === undefined && slash !== undefined);
  const end = isOpen ? Math.max(from, largestOf(kind)) : to;
  const by = slash === undefined ? 1 : readStep(kind, item.slice(item.text.length - step.length));
  for (let value = from; value <= end; value += by) values.add(value);
}

/** The end of a range; a week may end with SUN, which is 0 elsewhere. */
function readEnd(kind: CronFieldKind, part: SpecPart, from: number): number {
  const value = readValue(kind, part);
  const end = part.text.toUpperCase() === 'SUN' && from > 0 ? kind.largest : value;
  if (end >= from) return end;
  throw part.fault(
    `the ${kind.name} range ends with '${part.text}', before it begins`,
    'Write two ranges, as in 22-23,0-4.',
  );
}

function readStep(kind: CronFieldKind, part: SpecPart): number {
  const most = largestOf(kind) - kind.smallest + 1;
  const step = /^\d{1,4}$/.test(part.text) ? Number(part.text) : 0;
  if (step >= 1 && step <= most) return step;
  throw part.fault(`'${part.text}' is no step of the ${kind.name}`, `A step is a number from 1 to ${most}.`);
}

/** 7 is Sunday once more: a star or a step must not count it twice. */
function largestOf(kind: CronFieldKind): number {
  return kind.names[0] === 'SUN' ? 6 : kind.largest;
}

function fault(kind: CronFieldKind, part: SpecPart): Error {
  const mistake = part.text === '' ? `a value of the ${kind.name} is missing` : `'${part.text}' is no ${kind.name}`;
  return part.fault(mistake, kind.allowed);
}
