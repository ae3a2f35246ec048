// npm run proof: the long runs. Chaos on every database, and each planted bug once, which must be found.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DATABASES } from '../chaos/databases/index.mjs';
import { buildIfStale, root } from './build.mjs';
import { runNode } from './child.mjs';
import { ensureServers } from './servers.mjs';

const SEED = process.env.PQ_PROOF_SEED ?? '1';
const MODEL_RUNS = '1000';
/** The one on which every planted bug does harm: an error inside a transaction ends those of PostgreSQL, and SQLite has one writer. */
const PLANTS_ON = 'mariadb';

ensureServers();
buildIfStale();
// Only now: it imports the built library.
const { PLANT_NAMES } = await import('../chaos/plants.mjs');

const results = [];
for (const db of DATABASES) {
  results.push([`chaos on ${db}`, (await chaos('--db', db, '--minutes', '1')) === 0]);
}
for (const plant of PLANT_NAMES) {
  results.push([
    `planted ${plant} is found`,
    (await chaos('--db', PLANTS_ON, '--minutes', '1', '--plant', plant)) === 1,
  ]);
}
if (existsSync(join(root, 'test/model'))) {
  const env = { ...process.env, PQ_MODEL_RUNS: MODEL_RUNS };
  results.push([
    'the model test',
    (await runNode([join(root, 'tools/test.mjs'), 'test/model'], { cwd: root, env })) === 0,
  ]);
}

console.log(`\n# Proof\n\n${results.map(([title, isRight]) => `${isRight ? 'yes' : 'NO '}  ${title}`).join('\n')}`);
process.exitCode = results.every(([, isRight]) => isRight) ? 0 : 1;

function chaos(...args) {
  return runNode([join(root, 'chaos/run.mjs'), '--seed', SEED, ...args], { cwd: root });
}
