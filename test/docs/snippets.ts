import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A fenced block of a page. */
export interface Snippet {
  /** The page, from the repository's root. */
  readonly page: string;
  /** The line of the page that opens the fence: line 1 of the code is the next one. */
  readonly line: number;
  /** What follows the language: `mysql mariadb`, or nothing. */
  readonly info: string;
  readonly code: string;
}

/** README.md, every page of docs/ and of the samples, from the repository's root. */
export function pages(root: string): string[] {
  const docs = readdirSync(join(root, 'docs')).map((name) => `docs/${name}`);
  const samples = readdirSync(join(root, 'sample')).map((name) => `sample/${name}/README.md`);
  const found = [...docs.toSorted(), ...samples.toSorted()].filter((page) => page.endsWith('.md'));
  return ['README.md', ...found.filter((page) => existsSync(join(root, page)))];
}

/** The page's fenced blocks in `language`. */
export function snippetsOf(root: string, page: string, language: string): Snippet[] {
  const snippets: Snippet[] = [];
  let open: { language: string; info: string; line: number; code: string[] } | undefined;
  for (const [index, text] of readFileSync(join(root, page), 'utf8').split('\n').entries()) {
    const fence = /^```(\w*) ?(.*)$/.exec(text);
    if (fence === null) open?.code.push(text);
    else if (open === undefined) open = { language: fence[1] ?? '', info: fence[2] ?? '', line: index + 1, code: [] };
    else {
      if (open.language === language) {
        snippets.push({ page, line: open.line, info: open.info, code: open.code.join('\n') });
      }
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`${page}:${open.line}: this fence is never closed`);
  return snippets;
}
