// npm run proof: the long runs. Chaos on every database, each planted bug once, which must be found as what it is, the model
// test with many more sequences, the consumers, and the specs in test/proof.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PLANTS } from '../chaos/plants.mjs';
import { findGalera, findMariaDb, findMySql, findPostgres } from '../test/support/binaries.mjs';
import { buildIfStale, root } from './build.mjs';
import { runNode } from './child.mjs';
import { ensureServers } from './servers.mjs';

const SEED = process.env.PQ_PROOF_SEED ?? '1';
const MODEL_RUNS = '1000';
/** On each database; a minute by default. */
const LOCK_SECONDS = process.env.PQ_PROOF_LOCK_SECONDS ?? '20';
/** What finds each database's programs. */
const DATABASES = {
  sqlite: () => true,
  mariadb: findMariaDb,
  mysql: findMySql,
  postgres: findPostgres,
  galera: findGalera,
};
/** The one on which every planted bug does harm: an error inside a transaction ends those of PostgreSQL, and SQLite has one writer. */
const PLANTS_ON = 'mariadb';

ensureServers({ forProof: true });
buildIfStale();

const present = Object.keys(DATABASES).filter((name) => DATABASES[name]());
const missing = Object.keys(DATABASES).filter((name) => !present.includes(name));
// Side by side: most of the time each of them waits, for leases to run out, and for servers to come back.
const lanes = [
  [...chaosSteps(), ...plantSteps(), consumers(), specs(isCrowded)],
  [modelTest(), specs((name) => !isCrowded(name))],
];
const results = (await Promise.all(lanes.map(runLane))).flat();
const leftOut = missing.map((name) => `---          ${name} is not proved: its programs are missing`);
console.log(`\n# Proof\n\n${[...results.map(line), ...leftOut].join('\n')}`);
const isWhole = missing.length === 0 || process.env.CI !== 'true';
process.exitCode = results.every(({ status }) => status === 0) && isWhole ? 0 : 1;

function chaosSteps() {
  return present.map((db) => chaos(`chaos on ${db}`, '--db', db, '--minutes', '1'));
}

/** Shorter: a planted bug that needs a whole minute is one that the harness does not provoke. */
function plantSteps() {
  if (!present.includes(PLANTS_ON)) return [];
  return Object.entries(PLANTS).map(([plant, kind]) => {
    const planted = ['--plant', plant, '--expect', kind];
    return chaos(`planted ${plant} is found`, '--db', PLANTS_ON, '--minutes', '0.6', ...planted);
  });
}

function chaos(title, ...args) {
  return { title, args: ['chaos/run.mjs', '--seed', SEED, ...args] };
}

function modelTest() {
  return { title: 'the model test', args: ['tools/test.mjs', 'test/model'], env: { PQ_MODEL_RUNS: MODEL_RUNS } };
}

function consumers() {
  return { title: 'the applications that use the packed library', args: ['tools/check-consumers.mjs'] };
}

/** Those that start many processes at once: not beside the others. */
function isCrowded(name) {
  return ['limits.spec.ts', 'locks.spec.ts', 'schedules.spec.ts', 'steps.spec.ts'].includes(name);
}

function specs(isChosen) {
  const names = readdirSync(join(root, 'test/proof')).filter((name) => name.endsWith('.spec.ts') && isChosen(name));
  const env = { PQ_PROOF_LOCK_SECONDS: LOCK_SECONDS };
  return { title: names.join(', '), args: ['tools/test.mjs', '--proof', ...names.map((name) => `proof/${name}`)], env };
}

/** Goes on after a failure, so that one run shows them all, but not after an interruption. */
async function runLane(steps) {
  const done = [];
  for (const { title, args, env } of steps) {
    console.log(`== ${title} …`);
    const began = performance.now();
    const output = [];
    const hear = (piece) => output.push(piece);
    const status = await runNode(args, { cwd: root, env: { ...process.env, ...env }, hear });
    done.push({ title, status, seconds: (performance.now() - began) / 1_000 });
    console.log(`${Buffer.concat(output).toString()}\n== ${line(done.at(-1))}`);
    if (status >= 128) break;
  }
  return done;
}

function line({ title, status, seconds }) {
  return `${status === 0 ? 'yes' : 'NO '}  ${String(Math.round(seconds)).padStart(4)} s  ${title}`;
}
