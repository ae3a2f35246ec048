import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { readHealthOptions } from '../../lib/health/health-options.js';
import { readLockTimes } from '../../lib/lock/lock-options.js';
import { resolveHandlerOptions } from '../../lib/options/resolve-handler-options.js';
import { resolveOptions } from '../../lib/options/resolve-options.js';
import { tableNames } from '../../lib/typeorm/schema/tables.js';
import { readSchedule } from '../../lib/schedule/read-schedule.js';
import { SEED_PAGES } from './seed-pages.js';
import { propertiesOf } from './source-names.js';
import { tableRows } from './tables.js';

const root = join(import.meta.dirname, '../..');
const rowsOf = (page: string) => tableRows(readFileSync(join(root, page), 'utf8'));

const codeIn = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

/** What the options come to, by whose they are. */
const RESOLVERS: Record<string, (options: object) => object> = {
  'forRoot()': (options) => resolveOptions(options),
  '@JobHandler()': (options) => resolveHandlerOptions('a page', options),
  // Each is a handler's option too.
  '@MultiStepJob()': (options) => resolveHandlerOptions('a page', options),
  'schedules.upsert()': (options) => readSchedule('s', { spec: '@daily', type: 't', ...options }, 1_000),
  'check()': (options) => readHealthOptions(options),
  '@WithLock()': (options) => readLockTimes('a page', options),
};

/** A stated default: owner, option, and the cell that says what it is. */
type Stated = readonly [page: string, owner: string, option: string, cell: string];

const ownTables: Stated[] = (
  [
    ['docs/running.md', 'forRoot()'],
    ['docs/handlers.md', '@JobHandler()'],
    ['docs/locks.md', '@WithLock()'],
    ['docs/schedules.md', 'schedules.upsert()'],
    ['docs/health.md', 'check()'],
  ] as const
).flatMap(([page, owner]) =>
  rowsOf(page)
    .filter(([option = '', , meaning]) => /^`\w+`$/.test(option) && meaning !== undefined)
    .map(([option = '', cell = '']) => [page, owner, option.replaceAll('`', ''), cell] as const),
);

/** `| theirs | default | `maxRetries` of `@JobHandler()` | `3` | …` */
const seedTables: Stated[] = Object.keys(SEED_PAGES).flatMap((page) =>
  rowsOf(page).flatMap(([, , ours = '', cell = '']) => {
    const found = /^`(\w+)` of `([^`]+)`/.exec(ours);
    return found?.[1] !== undefined && found[2] !== undefined ? [[page, found[2], found[1], cell] as const] : [];
  }),
);

/** What the cell says as code; the rest is words, such as "all" and "none". */
function literalOf(cell: string): unknown {
  const code = /^`([^`]*)`$/.exec(cell)?.[1] ?? (/^\d+$/.test(cell) ? cell : undefined);
  return code === undefined ? undefined : structuredClone(runInNewContext(`(${code})`));
}

const stated = [...ownTables, ...seedTables].filter(([, , , cell]) => literalOf(cell) !== undefined);

describe('a default that a page states', () => {
  it('is found in the tables', () => {
    expect(ownTables.length).toBeGreaterThan(20);
    expect(stated.length).toBeGreaterThan(30);
  });

  it.each(stated)('is the one of the code: %s, %s, %s, %s', (_, owner, option, cell) => {
    const resolve = RESOLVERS[owner];
    if (resolve === undefined) throw new Error(`nobody has options called ${owner}`);
    expect(resolve({ [option]: literalOf(cell) })).toEqual(resolve({}));
  });
});

describe('a table of options', () => {
  it.each([
    ['docs/running.md', 'module-options.ts', 'PersistentQueueOptions'],
    ['docs/handlers.md', 'handler-options.ts', 'JobHandlerOptions'],
    ['docs/enqueueing.md', '../queue/enqueue-options.ts', 'EnqueueOptions'],
    ['docs/locks.md', '../lock/lock-options.ts', 'LockOptions'],
    ['docs/schedules.md', '../schedule/schedule-options.ts', 'ScheduleTiming'],
  ])('leaves none out: %s has all of %s', (page, file, name) => {
    const options = propertiesOf(readFileSync(join(root, 'lib/options', file), 'utf8'), name);
    expect(options.length).toBeGreaterThan(1);
    const named = new Set(rowsOf(page).flatMap(([cell = '']) => codeIn(cell)));
    expect(options.filter((option) => !named.has(option))).toEqual([]);
  });

  it('is beside one of the tables in the database', () => {
    const named = rowsOf('docs/databases.md').flatMap(([cell = '']) => codeIn(cell));
    const tables = named.filter((name) => name.startsWith('pq_'));
    expect(new Set(tables)).toEqual(new Set(Object.values(tableNames('pq_'))));
  });
});

describe('a page for those who come from another system', () => {
  it.each(Object.entries(SEED_PAGES))('says in its tables what has become of everything: %s', (page, names) => {
    const theirs = rowsOf(page).flatMap(([cell = '']) => codeIn(cell));
    const isThere = (name: string) => theirs.some((code) => new RegExp(`(?<![\\w-])${name}(?!\\w)`).test(code));
    expect(names.filter((name) => !isThere(name))).toEqual([]);
  });
});
