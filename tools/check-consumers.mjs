// npm run check:consumers [-- APPLICATION…]: installs the packed library into each application of consumers/, as a user would, and
// runs the application's own tests on each Node.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import Table from 'cli-table3';
import { root } from './build.mjs';
import { runNode } from './child.mjs';
import { installed } from './installed.mjs';
import { pack } from './pack.mjs';
import { node22 } from './sqlite-drivers.mjs';

const CONSUMERS = join(root, 'consumers');
const NODE_24 = { name: `node-${process.platform}-${process.arch}`, version: '24.21.0' };
/** What the compiled better-sqlite3 of this repository is for; the newer ones bring SQLite themselves. */
const OLDEST = '20';
const NODES = { [OLDEST]: () => process.execPath, 22: node22, 24: () => node24() };
/** The others are enough: a second HTTP adapter has nothing to do with the version of Node. */
const LEFT_OUT = { 'nest12-fastify': ['22', '24'] };
const NPM_OPTIONS = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

const npm = process.env.npm_execpath;
const applications = readdirSync(CONSUMERS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const chosen = process.argv.slice(2);
const unknown = chosen.find((name) => !applications.includes(name));
if (unknown !== undefined || npm === undefined || !process.version.startsWith(`v${OLDEST}.`)) {
  if (unknown !== undefined) console.error(`There is no application named "${unknown}".`);
  console.error(`Usage, on Node ${OLDEST}: npm run check:consumers [-- APPLICATION…]`);
  console.error(`Applications: ${applications.join(', ')}`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'pq-consumers-'));
try {
  const tarball = pack(folder);
  const rows = [];
  for (const name of chosen.length > 0 ? chosen : applications) rows.push(...(await check(name, tarball)));
  print(rows);
  process.exitCode = rows.every(({ isGreen }) => isGreen) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

/** One row of the table for each Node. */
async function check(name, tarball) {
  const home = join(folder, name);
  console.log(`== ${name}: installing …`);
  const seconds = await timed(() => prepare(home, name, tarball));
  console.log(`== ${name}: installed and built in ${seconds} s`);
  const rows = [];
  for (const [major, find] of Object.entries(NODES)) {
    if (LEFT_OUT[name]?.includes(major)) continue;
    console.log(`== ${name} on Node ${major} …`);
    rows.push({ name, ...versions(home), ...(await test(home, major, find())) });
  }
  return rows;
}

function prepare(home, name, tarball) {
  cpSync(join(CONSUMERS, name), home, { recursive: true, filter: (path) => !/(node_modules|dist)$/.test(path) });
  cpSync(join(CONSUMERS, 'sigterm.test.mjs'), join(home, 'test/sigterm.test.mjs'));
  // With a copy and not a link, as from the registry.
  execFileSync('npm', ['install', ...NPM_OPTIONS, tarball], { cwd: home, stdio: 'inherit' });
  takeCompiled(home);
  execFileSync('npm', ['run', 'build'], { cwd: home, stdio: 'inherit' });
}

/** The same version was compiled for this Node when this repository's dependencies were installed: that takes a minute. */
function takeCompiled(home) {
  const [ours, theirs] = [root, home].map((where) => join(where, 'node_modules/better-sqlite3'));
  const [version, wanted] = [ours, theirs].map(versionOf);
  if (version !== wanted)
    throw new Error(`${home} wants better-sqlite3 ${wanted}: give it ${version}, as the repository has it`);
  cpSync(join(ours, 'build/Release/better_sqlite3.node'), join(theirs, 'build/Release/better_sqlite3.node'));
}

async function test(home, major, node) {
  const output = [];
  const env = {
    ...process.env,
    PATH: [dirname(node), process.env.PATH].join(delimiter),
    SQLITE_DRIVER: major === OLDEST ? '' : 'node',
    // The application's own reporters, whatever terminal this is.
    FORCE_COLOR: '0',
  };
  let status;
  const seconds = await timed(async () => {
    status = await runNode([npm, 'test'], { node, cwd: home, env, hear: (piece) => output.push(piece) });
  });
  const text = Buffer.concat(output).toString();
  const passed = countPassed(text);
  const isGreen = status === 0 && passed > 0;
  if (!isGreen) console.error(text);
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1);
  return { node: version, driver: major === OLDEST ? 'better-sqlite3' : 'node:sqlite', passed, seconds, isGreen };
}

/** Jest's own line, and node:test's in either of its formats. */
function countPassed(text) {
  const counts = [...text.matchAll(/^Tests:.*?(\d+) passed|^(?:#|ℹ) pass (\d+)/gm)];
  return counts.reduce((sum, [, jest, nodeTest]) => sum + Number(jest ?? nodeTest), 0);
}

function versions(home) {
  const of = (name) => versionOf(join(home, 'node_modules', name));
  const { dependencies } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  const adapter = Object.keys(dependencies).find((name) => name.startsWith('@nestjs/platform-'));
  return { nest: of('@nestjs/core'), typeorm: of('typeorm'), adapter: adapter.replace('@nestjs/platform-', '') };
}

function versionOf(directory) {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')).version;
}

function node24() {
  return join(installed('nodes', [NODE_24]), NODE_24.name, 'bin/node');
}

async function timed(work) {
  const began = performance.now();
  await work();
  return Math.round((performance.now() - began) / 1_000);
}

function print(rows) {
  const head = ['application', 'Node', 'Nest', 'TypeORM', 'HTTP', 'SQLite', 'tests passed', 's', ''];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const { name, node, nest, typeorm, adapter, driver, passed, seconds, isGreen } of rows) {
    table.push([name, node, nest, typeorm, adapter, driver, passed, seconds, isGreen ? 'yes' : 'NO']);
  }
  console.log(`\n# Consumers\n\n${table.toString()}`);
}
