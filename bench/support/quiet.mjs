import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK = 100;
const LONGEST_WAIT = 1_000;
const BUSY = 0.15;

/** Waits until nobody else uses the processors, but not for ever. What comes afterwards it cannot prevent: hence several rounds. */
export async function waitForQuiet() {
  const giveUpAt = performance.now() + LONGEST_WAIT;
  while (performance.now() < giveUpAt) {
    const before = usage();
    await sleep(LOOK);
    const after = usage();
    if ((after.busy - before.busy) / (after.all - before.all) < BUSY) return;
  }
}

function usage() {
  const times = cpus().map((core) => core.times);
  const idle = times.reduce((sum, core) => sum + core.idle, 0);
  const all = times.reduce((sum, core) => sum + Object.values(core).reduce((a, b) => a + b, 0), 0);
  return { busy: all - idle, all };
}
