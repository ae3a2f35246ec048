import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { DATABASES } from './databases/index.mjs';
import { KINDS } from './checks/violation.mjs';
import { PLANTS } from './plants.mjs';

const USAGE =
  `npm run chaos -- [--db ${DATABASES.join('|')}] [--minutes N] [--seed N] [--lease default] [--calm SECONDS] [--workers N] ` +
  `[--plant ${Object.keys(PLANTS).join('|')}] [--expect KIND]`;

/** Short, so that minutes hold many losses of it. */
const SHORT_LEASE = { duration: 4_000, beat: 1_000 };
const DEFAULT_LEASE = { duration: 15_000, beat: 4_000 };

export function readArguments() {
  try {
    if (!existsSync(new URL('../dist/index.js', import.meta.url))) throw new Error('There is no dist/: npm run build');
    const text = { type: 'string' };
    const list = { type: 'string', multiple: true };
    const options = {
      db: list,
      minutes: text,
      seed: text,
      lease: text,
      plant: text,
      expect: text,
      calm: text,
      workers: text,
    };
    const { values } = parseArgs({ options });
    for (const name of values.db ?? []) refuseUnknown('--db', name, DATABASES);
    if (values.lease !== undefined) refuseUnknown('--lease', values.lease, ['default']);
    if (values.plant !== undefined) refuseUnknown('--plant', values.plant, Object.keys(PLANTS));
    if (values.expect !== undefined) refuseUnknown('--expect', values.expect, KINDS);
    return {
      db: values.db ?? DATABASES,
      minutes: readNumber('--minutes', values.minutes ?? '2', 0.1),
      seed: readNumber('--seed', values.seed ?? String(Date.now() % 100_000), 0),
      lease: values.lease === undefined ? SHORT_LEASE : DEFAULT_LEASE,
      calm: readNumber('--calm', values.calm ?? '3', 1) * 1_000,
      workers: values.workers === undefined ? undefined : readNumber('--workers', values.workers, 1),
      plant: values.plant,
      expect: values.expect,
    };
  } catch (error) {
    console.error(`${error.message}\nUsage: ${USAGE}`);
    process.exit(2);
  }
}

function readNumber(option, text, least) {
  const number = Number(text);
  if (!(number >= least)) throw new Error(`${option} ${text}: give a number, at least ${least}.`);
  return number;
}

function refuseUnknown(option, value, known) {
  if (!known.includes(value)) throw new Error(`${option} ${value} is none of ${known.join(', ')}.`);
}
