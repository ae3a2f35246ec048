import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { SERVERS } from '../databases/index.mjs';
import { MEASURES } from '../measures/index.mjs';
import { FULL, QUICK } from '../sizes.mjs';

/** MySQL is much like MariaDB, and would make a run a quarter longer. */
export const USUAL = SERVERS.filter((name) => name !== 'mysql');
const NAMES = Object.keys(MEASURES);
const USAGE = `npm run bench -- [--only ${NAMES.join('|')}] [--db ${SERVERS.join('|')}] [--rounds N] [--quick]`;

export function readArguments() {
  const list = { type: 'string', multiple: true };
  try {
    const { values } = parseArgs({
      options: { only: list, db: list, rounds: { type: 'string' }, quick: { type: 'boolean', default: false } },
    });
    refuseUnknown('--only', values.only, NAMES);
    refuseUnknown('--db', values.db, SERVERS);
    if (!existsSync(new URL('../../dist/index.js', import.meta.url)))
      throw new Error('There is no dist/: npm run build');
    const sizes = values.quick ? QUICK : FULL;
    return {
      only: values.only ?? NAMES,
      db: withRivals(values.db) ?? USUAL,
      quick: values.quick,
      sizes: { ...sizes, rounds: readRounds(values.rounds) ?? sizes.rounds },
    };
  } catch (error) {
    console.error(`${error.message}\nUsage: ${USAGE}`);
    process.exit(2);
  }
}

/** What stores in Redis is compared with MariaDB. */
function withRivals(db) {
  return db?.includes('mariadb') && !db.includes('redis') ? [...db, 'redis'] : db;
}

function readRounds(text) {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d?$/.test(text)) throw new Error(`--rounds ${text} is no number from 1 to 99.`);
  return Number(text);
}

function refuseUnknown(option, given = [], known) {
  const unknown = given.find((value) => !known.includes(value));
  if (unknown !== undefined) throw new Error(`${option} ${unknown} is none of ${known.join(', ')}.`);
}
