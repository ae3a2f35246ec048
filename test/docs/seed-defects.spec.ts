import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { tableRows } from './tables.js';
import { titlesOf } from './source-names.js';

const root = join(import.meta.dirname, '../..');
const PAGE = 'docs/seed-defects.md';
/** How many defects were found in each of the systems: persistent-queue, qtask, aps-go, vtask. */
const FOUND = { P: 22, Q: 16, A: 13, V: 17 };
const ids = Object.entries(FOUND).flatMap(([system, count]) =>
  Array.from({ length: count }, (_, n) => `${system}-W${n + 1}`),
);

const rows = tableRows(readFileSync(join(root, PAGE), 'utf8')).filter(([id]) => id !== '');

/** `` `test/a.spec.ts` › 'a title'; … `` */
function referencesOf(cell: string): { file: string; title: string }[] {
  return cell.split(/; (?=`)/).map((reference) => {
    const [, file = '', title = ''] = /^`([^`]+)` › '(.+)'$/.exec(reference) ?? [];
    return { file, title };
  });
}

describe(PAGE, () => {
  it('has every defect once, in its order', () => {
    expect(rows.map(([id]) => id)).toEqual(ids);
  });

  it.each(rows)('says what went wrong, and why it cannot here: %s', (_, wrong = '', here = '', shownBy = '') => {
    for (const cell of [wrong, here]) expect(cell).toMatch(/^.{10,}\.$/);
    expect(shownBy).not.toBe('');
  });

  it.each(rows)('names tests that there are for %s', (_, __, ___, shownBy = '') => {
    for (const { file, title } of referencesOf(shownBy)) {
      expect([file, file !== '' && existsSync(join(root, file))]).toEqual([file, true]);
      expect(titlesOf(readFileSync(join(root, file), 'utf8'))).toContain(title);
    }
  });
});
