import { join } from 'node:path';
import { installed, label } from './installed.mjs';

const NODE = { name: `node-${process.platform}-${process.arch}`, version: '22.23.3' };
const BETTER_SQLITE3 = { name: 'better-sqlite3', version: '13.2.0' };

/**
 * The SQLite drivers that do not run on Node 20, and a Node for them. Together more than 100 MB, of which most contributors need
 * nothing: npm installs them into a cache and not among the dependencies.
 *
 * @returns what to test, and a line for what stays out.
 */
export function ensureSqliteDrivers() {
  try {
    const packages = install();
    const node = join(packages, NODE.name, 'bin/node');
    const betterSqlite3 = join(packages, BETTER_SQLITE3.name, 'lib/index.js');
    return {
      runs: [
        { title: `node:sqlite on Node ${NODE.version}`, node, driver: 'node:sqlite' },
        { title: `better-sqlite3 ${BETTER_SQLITE3.version} on Node ${NODE.version}`, node, driver: betterSqlite3 },
      ],
      missing: [],
    };
  } catch (error) {
    console.error(`The newer SQLite drivers cannot be installed: ${error.message}`);
    return { runs: [], missing: [`SQLite with node:sqlite and better-sqlite3 13: npm must install ${label(NODE)}`] };
  }
}

/** A Node of version 22. */
export function node22() {
  return join(install(), NODE.name, 'bin/node');
}

function install() {
  return installed('sqlite-drivers', [NODE, BETTER_SQLITE3]);
}
