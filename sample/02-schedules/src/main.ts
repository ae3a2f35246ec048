import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Report } from './clock-jobs.js';
import { Ledger } from './ledger.js';

const NODE = fileURLToPath(new URL('./node.js', import.meta.url));
const PROCESSES = 3;
const SHOW = 12_000;

const folder = await mkdtemp(join(tmpdir(), 'clock-'));
const ledger = new Ledger();
const children = Array.from({ length: PROCESSES }, (_, index) => start(index + 1));

try {
  await Promise.all(children.map((child) => once(child, 'message')));
  console.log(`${PROCESSES} processes with the same schedule, "@every 1s", on one SQLite file.\n`);
  await setTimeout(SHOW / 2);
  console.log('  process 1 is killed (kill -9)');
  children[0]?.kill('SIGKILL');
  await setTimeout(SHOW / 2);
} finally {
  await Promise.all(children.map(stop));
  await rm(folder, { recursive: true, force: true });
}
console.log(`\n${ledger.summary()}`);
process.exitCode = ledger.isRight ? 0 : 1;

function start(number: number): ChildProcess {
  const child = fork(NODE, [join(folder, 'clock.sqlite')]);
  child.on('message', (report: Report) => {
    if (!('ready' in report)) ledger.enter(number, report.what, report.key);
  });
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
