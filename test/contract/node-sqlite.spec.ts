import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { NodeSqlite } from '../../lib/node-sqlite/index.js';

const file = join(tmpdir(), 'never-opened.sqlite');

describe('NodeSqlite', () => {
  if (process.getBuiltinModule('node:sqlite') === undefined) {
    it('says what is missing on a Node that has no node:sqlite', () => {
      expect(() => new NodeSqlite(file)).toThrow(/no node:sqlite.*22\.13.*better-sqlite3/);
    });
  }

  it.each([{ verbose: console.log }, { nativeBinding: './sqlite.node' }])(
    'refuses %j, which it could only ignore',
    (options) => {
      expect(() => new NodeSqlite(file, options)).toThrow(/Option DataSource\.\w+ cannot be used.*leave it out/);
    },
  );
});
