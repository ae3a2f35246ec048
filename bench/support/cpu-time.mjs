import { readFileSync } from 'node:fs';

/** Of the kernel's clock in /proc, per second: the same on every Linux. */
const TICKS = 100;
const [USER, SYSTEM, ENDED_USER, ENDED_SYSTEM] = [11, 12, 13, 14];

/** Seconds of the CPUs that these processes and their children have used so far; NaN where nobody tells. */
export function cpuTime(pids) {
  try {
    return pids.reduce(
      (sum, pid) => sum + timeOf(pid) + childrenOf(pid).reduce((all, child) => all + timeOf(child), 0),
      0,
    );
  } catch {
    return NaN;
  }
}

/** With that of its children which have ended. */
function timeOf(pid) {
  // The name of the program stands in parentheses, and may hold anything.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
    .map(Number);
  return (fields[USER] + fields[SYSTEM] + fields[ENDED_USER] + fields[ENDED_SYSTEM]) / TICKS;
}

function childrenOf(pid) {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}
