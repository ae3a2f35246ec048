import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { readArguments } from './arguments.mjs';
import { openDatabase } from './databases/index.mjs';
import { report } from './report.mjs';
import { runChaos } from './run-chaos.mjs';

const options = readArguments();
// Exit handlers remove the servers and folders.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.once(signal, () => process.exit(128 + constants.signals[signal]));

process.exitCode = await attackAll();

/** 1: there are violations, or not the expected one. 2: the harness has failed or a database is missing, and not all was proved. */
async function attackAll() {
  const found = [];
  try {
    for (const name of options.db) found.push(await attack(name));
  } catch (error) {
    console.error(error);
    return 2;
  }
  if (found.includes(false)) return 1;
  return found.includes(undefined) ? 2 : 0;
}

/** Answers whether it went as it must; undefined when the database cannot be started here. */
async function attack(name) {
  const database = await openDatabase(name);
  if (database === undefined) {
    console.error(`${name} was left out: its server programs are not in the PATH.`);
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'pq-chaos-'));
  try {
    const outcome = await runChaos({ ...options, name, database, folder });
    const isRight = isAsExpected(outcome.violations);
    report(outcome, { ...options, name, isRight, folder });
    if (isRight) rmSync(folder, { recursive: true });
    return isRight;
  } finally {
    await database.stop();
  }
}

function isAsExpected(violations) {
  const { expect } = options;
  return expect === undefined ? violations.length === 0 : violations.some(({ kind }) => kind === expect);
}
