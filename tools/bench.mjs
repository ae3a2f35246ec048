// npm run bench [-- arguments]: installs the benchmarks' own packages once, builds what has changed, and measures.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildIfStale, root } from './build.mjs';
import { runNode } from './child.mjs';

const bench = join(root, 'bench');

if (!existsSync(join(bench, 'node_modules'))) install();
buildIfStale();
process.exitCode = await runNode([join(bench, 'run.mjs'), ...process.argv.slice(2)]);

/** Peers that need a newer Node than this one bring it along: the warnings about that would only frighten. */
function install() {
  console.error('Installing the systems to compare with, in bench/ …');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: bench,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) {
    console.error('npm ci in bench/ has failed.');
    process.exit(1);
  }
}
