import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestDatabase } from '../support/databases.js';
import { snippetsOf, type Snippet } from './snippets.js';

const PAGE = 'docs/producing-with-sql.md';

/** A heading of the page and the fences below it. */
export interface Section {
  readonly title: string;
  readonly snippets: readonly Snippet[];
}

/** The sections that have fences in `language`. */
export function sectionsOf(root: string, language: string): Section[] {
  const lines = readFileSync(join(root, PAGE), 'utf8').split('\n');
  const titled = snippetsOf(root, PAGE, language).map((snippet) => {
    const heading = lines.slice(0, snippet.line).findLast((line) => line.startsWith('## ')) ?? '';
    return { title: heading.replace('## ', ''), snippet };
  });
  const titles = [...new Set(titled.map(({ title }) => title))];
  return titles.map((title) => ({
    title,
    snippets: titled.filter((each) => each.title === title).map(({ snippet }) => snippet),
  }));
}

/** A fence names its databases; one that names none is for all of them. */
export function isFor(database: TestDatabase['name'], { info }: Snippet): boolean {
  return info === '' || info.split(' ').includes(database);
}
