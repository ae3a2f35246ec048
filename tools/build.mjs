import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

/** The repository's folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Builds the library unless dist is newer than everything it is made of. */
export function buildIfStale() {
  const built = join(root, 'dist/index.js');
  if (existsSync(built) && statSync(built).mtimeMs > newestSource()) return;
  run(join(dirname(require.resolve('@nestjs/cli/package.json')), 'bin/nest.js'), ['build']);
}

/** Compiles the project of one tsconfig.json. */
export function compile(tsconfig) {
  run(require.resolve('typescript/bin/tsc'), ['-p', tsconfig]);
}

/** Folders count as well: removing a file changes only its folder. */
function newestSource() {
  const lib = readdirSync(join(root, 'lib'), { recursive: true }).map((name) => join('lib', name));
  const sources = ['lib', 'package.json', 'tsconfig.json', 'tsconfig.build.json', ...lib];
  return Math.max(...sources.map((name) => statSync(join(root, name)).mtimeMs));
}

function run(script, args) {
  try {
    execFileSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
  } catch {
    // The compiler has said what is wrong.
    process.exit(1);
  }
}
