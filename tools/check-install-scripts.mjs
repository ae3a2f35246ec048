// Only better-sqlite3 may run an install script; npm 12 reads the same list from package.json.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './build.mjs';

const APPROVED = ['better-sqlite3'];

const { allowScripts = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));

const withScript = new Set(
  Object.entries(packages)
    .filter(([, entry]) => entry.hasInstallScript)
    .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)),
);
const problems = [
  ...[...withScript]
    .filter((name) => allowScripts[name] !== APPROVED.includes(name))
    .map((name) => `${name} has an install script: package.json's allowScripts must say ${APPROVED.includes(name)}`),
  ...Object.keys(allowScripts)
    .filter((name) => !withScript.has(name))
    .map((name) => `allowScripts names ${name}, which has no install script`),
  ...Object.entries(packages)
    .filter(([, entry]) => entry.resolved?.includes('://'))
    .map(([path]) => `package-lock.json names a registry host for ${path}`),
];
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
