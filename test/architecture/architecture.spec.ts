import { describe, expect, it } from '@jest/globals';
import { libFiles } from './lib-files.js';
import {
  knownRooms,
  noBarrels,
  noCycles,
  noForbiddenWords,
  oneDirection,
  type Rule,
  smallFiles,
  sqlOnlyIn,
} from './rules.js';

/** The architecture: a file imports its own room or an earlier one. '.' are the files directly in lib/. */
const ROOMS = [
  'errors',
  'support',
  'job',
  'events',
  'instrumentation',
  'signal',
  'options',
  'repository',
  'lock',
  'typeorm',
  'queue',
  'handler',
  'node',
  'completion',
  'steps',
  'worker',
  'maintenance',
  'poller',
  'operation',
  'schedule',
  'inspection',
  'doctor',
  '.',
  'migrations',
  'node-sqlite',
  'redis',
  'testing',
  'dashboard',
  'health',
  'telemetry',
  'cli',
];

const RULES: Record<string, Rule> = {
  'knows every room': knownRooms(ROOMS),
  'imports in one direction': oneDirection(ROOMS),
  'has no barrels inside': noBarrels([
    'index.ts',
    'migrations/index.ts',
    'node-sqlite/index.ts',
    'redis/index.ts',
    'testing/index.ts',
    'dashboard/index.ts',
    'health/index.ts',
    'telemetry/index.ts',
  ]),
  'has no cycles': noCycles,
  'has small files': smallFiles,
  'has no forbidden words': noForbiddenWords,
  'keeps SQL in one room': sqlOnlyIn(['typeorm', 'migrations']),
};

describe('lib/', () => {
  it.each(Object.entries(RULES))('%s', (_name, rule) => {
    expect(rule(libFiles())).toEqual([]);
  });
});

describe('the rules', () => {
  // Marked words are put together, so that searching the sources for them does not find this file.
  const marker = ['TO', 'DO'].join('');

  it.each<[rule: string, files: Record<string, string>, violation: string]>([
    ['knows every room', { 'cellar/a.ts': '' }, 'cellar/a.ts: the room is not in the list'],
    [
      'imports in one direction',
      { 'job/a.ts': `import { b } from '../worker/b.js';` },
      'job/a.ts: imports worker/b.ts of a later room',
    ],
    [
      'imports in one direction',
      { 'job/a.ts': `import type { B } from '../worker/b.js';` },
      'job/a.ts: imports worker/b.ts of a later room',
    ],
    [
      'imports in one direction',
      { 'poller/a.ts': `export * from '../index.js';` },
      'poller/a.ts: imports index.ts of a later room',
    ],
    [
      'imports in one direction',
      { 'job/a.ts': `const b = await import('../worker/b.js');` },
      'job/a.ts: imports worker/b.ts of a later room',
    ],
    ['has no barrels inside', { 'job/index.ts': '' }, 'job/index.ts: a barrel inside'],
    [
      'has no cycles',
      {
        'job/a.ts': `import { b } from './b.js';`,
        'job/b.ts': `import { c } from './c.js';`,
        'job/c.ts': `import { b } from './b.js';`,
      },
      'job/b.ts → job/c.ts → job/b.ts: a cycle',
    ],
    ['has small files', { 'job/a.ts': 'x;\n'.repeat(251) }, 'job/a.ts: 251 lines, at most 250'],
    ['has no forbidden words', { 'job/a.ts': `// ${marker}: later` }, `job/a.ts: contains ${marker}`],
    [
      'keeps SQL in one room',
      { 'queue/a.ts': 'query(`SELECT * FROM ${table}`)' },
      'queue/a.ts: SQL outside typeorm, migrations: SELECT * FROM',
    ],
    [
      'keeps SQL in one room',
      { 'queue/a.ts': 'query(`${hint} DELETE FROM ${table}`)' },
      'queue/a.ts: SQL outside typeorm, migrations: DELETE FROM',
    ],
  ])('find when lib/ no longer %s', (rule, files, violation) => {
    const planted = Object.entries(files).map(([path, text]) => ({ path, text }));
    expect(RULES[rule]?.(planted)).toEqual([violation]);
  });

  it('accept what is right', () => {
    const files = [
      { path: 'job/a.ts', text: `import { b } from './b.js';\nimport ts from 'typescript';` },
      { path: 'job/b.ts', text: `import { c } from '../errors/c.js';` },
      { path: 'errors/c.ts', text: '// SELECT is a word of SQL' },
      { path: 'typeorm/d.ts', text: `import '../job/a.js';\nquery('SELECT 1');` },
      { path: 'index.ts', text: `export * from './typeorm/d.js';` },
      { path: 'migrations/index.ts', text: `export * from '../index.js';` },
    ];
    for (const rule of Object.values(RULES)) expect(rule(files)).toEqual([]);
  });
});
