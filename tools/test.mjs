// npm test [-- jest's arguments]: servers, build, process fixtures, jest, and a look at what was left behind.
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createRunFolder, removeLeftovers } from '../test/support/leftovers.mjs';
import { buildIfStale, compile, root } from './build.mjs';
import { runNode } from './child.mjs';
import { ensureServers } from './servers.mjs';

const missing = ensureServers();
buildIfStale();
const processes = join(root, 'test/processes');
if (existsSync(processes) && readdirSync(processes).some((name) => name.endsWith('.ts'))) compile(processes);

const runFolder = createRunFolder();
const status = await runNode(
  ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest(), ...process.argv.slice(2)],
  { cwd: root, env: { ...process.env, TMPDIR: runFolder } },
);
const removed = await removeLeftovers(runFolder);
// A run that was interrupted had no chance to clean up.
const leftovers = status < 128 ? removed : [];

if (leftovers.length > 0) box('THE TESTS LEFT BEHIND', leftovers);
if (missing.length > 0) box('NOT TESTED, BECAUSE A PROGRAM IS MISSING', missing);
const incomplete = missing.length > 0 && process.env.CI === 'true';
process.exitCode = status || (leftovers.length > 0 || incomplete ? 1 : 0);

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
