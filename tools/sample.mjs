// npm run sample -- NAME [args…]: builds what has changed and runs the sample's main.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildIfStale, compile, root } from './build.mjs';
import { runNode } from './child.mjs';

const [name, ...args] = process.argv.slice(2);
const samples = readdirSync(join(root, 'sample')).filter((each) => existsSync(project(each)));

if (!samples.includes(name)) {
  console.error(name ? `There is no sample named "${name}".` : 'Which sample?');
  console.error(`Usage: npm run sample -- NAME [args…]\nSamples: ${samples.join(', ') || 'none yet'}`);
  process.exit(2);
}

buildIfStale();
compile(project(name));
process.exitCode = await runNode([join(root, 'sample', name, 'dist/main.js'), ...args]);

function project(sample) {
  return join(root, 'sample', sample, 'tsconfig.json');
}
