import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { snippetsOf } from './snippets.js';

const root = join(import.meta.dirname, '../..');

describe('README.md and docs/nest.md', () => {
  it.each(['README.md', 'docs/nest.md'])('give Jest the lines that the consumer was tested with: %s', (page) => {
    const [shown] = snippetsOf(root, page, 'json').map(({ code }) => JSON.parse(code) as { jest: object });
    const consumer = readFileSync(join(root, 'consumers/nest11-commonjs/package.json'), 'utf8');
    expect(JSON.parse(consumer)).toMatchObject(shown as object);
  });
});
