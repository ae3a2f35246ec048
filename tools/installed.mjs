import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Cache } from './cache.mjs';

const OPTIONS = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

/** Answers the node_modules with these packages, installed once for all later runs into the cache of that kind. */
export function installed(kind, packages) {
  const labels = packages.map(label);
  const version = labels.join('+');
  const cache = new Cache(kind);
  const folder = join(cache.folder, version);
  if (!existsSync(folder)) {
    console.log(`Installing ${labels.join(' and ')} into ${cache.folder}`);
    cache.add((work) => ({ version, content: install(join(work, 'root'), labels) }));
  }
  return join(folder, 'node_modules');
}

export function label({ name, version }) {
  return `${name}@${version}`;
}

function install(content, labels) {
  mkdirSync(content);
  execFileSync('npm', ['install', '--prefix', content, ...OPTIONS, ...labels], { cwd: content, stdio: 'inherit' });
  return content;
}
