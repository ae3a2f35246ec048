import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const GRACE_MS = 3_000;

/** The folder that a test run gets as its TMPDIR: whatever the run creates and does not remove is found in it. */
export function createRunFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'pq-test-run-'));
  // PostgreSQL runs as a user of its own and has to reach its data.
  chmodSync(folder, 0o755);
  return folder;
}

/** Describes each process and folder that a run left behind; ends and removes them, so that they do not pile up. */
export async function removeLeftovers(runFolder) {
  const deadline = Date.now() + GRACE_MS;
  // A process that was told to end in the last moment of the run is no leftover.
  while (processesOf(runFolder).length > 0 && Date.now() < deadline) await sleep(50);
  const processes = processesOf(runFolder);
  for (const { pid } of processes) kill(pid);
  const files = readdirSync(runFolder);
  rmSync(runFolder, { recursive: true, force: true, maxRetries: 5 });
  return [
    ...processes.map(({ pid, command }) => `process ${pid}: ${command}`),
    ...files.map((name) => `temporary folder or file ${name}`),
  ];
}

/** Found by the TMPDIR that every process of the run inherits; only Linux shows the environment of other processes. */
function processesOf(runFolder) {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => read(`/proc/${pid}/environ`).includes(`TMPDIR=${runFolder}\0`))
    .map((pid) => ({ pid: Number(pid), command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() }));
}

/** A process may end between being listed and being looked at. */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
