// npm test [-- jest's arguments]: servers, build, process fixtures, jest, and a look at what was left behind.
// Without arguments the tests of SQLite run with its other drivers too; npm test -- --sqlite-drivers [jest's arguments]: only those.
// npm test -- --proof [jest's arguments]: instead of all that the long tests, with the default settings.
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createRunFolder, removeLeftovers } from '../test/support/leftovers.mjs';
import { buildIfStale, compile, root } from './build.mjs';
import { runNode } from './child.mjs';
import { ensureServers } from './servers.mjs';
import { ensureSqliteDrivers } from './sqlite-drivers.mjs';

/** Node 22 says in every process that `node:sqlite` is experimental. */
const QUIET = { NODE_OPTIONS: '--disable-warning=ExperimentalWarning' };

const args = process.argv.slice(2);
const onlyDrivers = args[0] === '--sqlite-drivers';
const isProof = args[0] === '--proof';
const servers = onlyDrivers ? [] : ensureServers({ forProof: isProof });
const drivers = onlyDrivers || args.length === 0 ? ensureSqliteDrivers() : { runs: [], missing: [] };
const missing = [...servers, ...drivers.missing];
buildIfStale();
const processes = join(root, 'test/processes');
if (existsSync(processes) && readdirSync(processes).some((name) => name.endsWith('.ts'))) compile(processes);

const runFolder = createRunFolder();
const status = await runAll();
const removed = await removeLeftovers(runFolder);
// A run that was interrupted had no chance to clean up.
const leftovers = status < 128 ? removed : [];

if (leftovers.length > 0) box('THE TESTS LEFT BEHIND', leftovers);
if (missing.length > 0) box('NOT TESTED, BECAUSE A PROGRAM IS MISSING', missing);
const incomplete = missing.length > 0 && process.env.CI === 'true';
process.exitCode = status || (leftovers.length > 0 || incomplete ? 1 : 0);

/** Goes on after a failure, so that one run shows them all, but not after an interruption. */
async function runAll() {
  if (isProof) return runJest(['-c', 'test/proof/jest.config.js', ...args.slice(1)]);
  let worst = onlyDrivers ? 0 : await runJest(args);
  for (const { title, node, driver } of drivers.runs) {
    if (worst >= 128) break;
    console.log(`\nSQLite with ${title}`);
    const config = ['-c', 'test/drivers/jest.config.js', ...args.slice(1)];
    worst = Math.max(worst, await runJest(config, { node, env: { PQ_TEST_SQLITE_DRIVER: driver, ...QUIET } }));
  }
  return worst;
}

function runJest(jestArgs, { node, env } = {}) {
  return runNode(['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest(), ...jestArgs], {
    node,
    cwd: root,
    env: { ...process.env, ...env, TMPDIR: runFolder },
  });
}

function jest() {
  return createRequire(import.meta.url).resolve('jest/bin/jest');
}

function box(title, allLines) {
  const lines = allLines.map((line) => line.slice(0, 110));
  const width = Math.max(title.length, ...lines.map((line) => line.length));
  const row = (text) => `║ ${text.padEnd(width)} ║`;
  const bar = '═'.repeat(width + 2);
  console.error([`╔${bar}╗`, row(title), `╟${'─'.repeat(width + 2)}╢`, ...lines.map(row), `╚${bar}╝`].join('\n'));
}
