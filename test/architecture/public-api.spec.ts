import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { exportsOf } from './api.js';

const ENTRIES = [
  'index.ts',
  'dashboard/index.ts',
  'health/index.ts',
  'migrations/index.ts',
  'node-sqlite/index.ts',
  'redis/index.ts',
  'telemetry/index.ts',
  'testing/index.ts',
];
const ACCEPTED = join(import.meta.dirname, 'public-api.txt');

const api = ENTRIES.map((entry) => ({ entry, names: exportsOf(entry) }));

describe('the public API', () => {
  it('is the accepted one (npm run api:accept accepts a change)', () => {
    const text = api
      .map(({ entry, names }) => `# lib/${entry}\n${names.map(({ name }) => `${name}\n`).join('')}`)
      .join('\n');
    if (process.env.PUBLIC_API === 'accept') writeFileSync(ACCEPTED, text);
    expect(text).toBe(readFileSync(ACCEPTED, 'utf8'));
  });

  it.each(api)('has a doc comment with @publicApi on everything in $entry', ({ names }) => {
    expect(names.filter(({ isTagged }) => !isTagged).map(({ name }) => name)).toEqual([]);
  });
});

describe('reading the public API', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pq-test-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('follows re-exports to the doc comments', () => {
    writeFileSync(join(folder, 'index.ts'), `export * from './a.js';\nexport { C as D, type E } from './b.js';`);
    writeFileSync(join(folder, 'a.ts'), '/** @publicApi */\nexport class A {}\n/** Plain. */\nexport const b = 1;');
    writeFileSync(join(folder, 'b.ts'), '/** @publicApi */\nexport const C = 1;\nexport interface E {}');
    expect(exportsOf('index.ts', folder)).toEqual([
      { name: 'A', isTagged: true },
      { name: 'D', isTagged: true },
      { name: 'E', isTagged: false },
      { name: 'b', isTagged: false },
    ]);
  });
});
