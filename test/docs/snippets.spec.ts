import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { compileSnippets } from './compile-snippets.js';
import { pages, snippetsOf, type Snippet } from './snippets.js';

const root = join(import.meta.dirname, '../..');

describe('README.md, docs/ and the samples', () => {
  it('have no TypeScript that does not compile', () => {
    const snippets = pages(root).flatMap((page) => snippetsOf(root, page, 'ts'));
    expect(snippets.length).toBeGreaterThan(10);
    expect(compileSnippets(root, snippets)).toEqual([]);
  });

  it('would be reported with page and line', () => {
    const wrong: Snippet = {
      page: 'docs/a-page.md',
      line: 10,
      info: '',
      code: "\nawait jobQueue.enqueue('order.notify', {}, { prio: 1 });",
    };
    expect(compileSnippets(root, [wrong])).toEqual([expect.stringMatching(/^docs\/a-page\.md:12: .*'prio'/s)]);
  });
});
