import { violation } from './violation.mjs';

/** How long a start may take to be told of where nothing is broken: 100 ms in the library, and the machine is busy. */
const TELLING = 2_000;
/** How long a fault goes on to be felt after its end: connections have to be made again, after a pause. */
const RECOVERY = 5_000;
/** What makes a node silent until others take its jobs. */
const LOSSES = ['kill a worker', 'kill the holder of the write lock', 'stop a worker', 'stall connections'];
/** What everybody feels. */
const OF_ALL = ['restart the database', 'kill a member of the cluster', 'isolate a member of the cluster'];

/** The ledger knows them, and the history does not. */
export function untoldStarts({ id }, attempts, { effectsOf }) {
  const told = new Set(attempts.map(({ fence }) => fence));
  return effectsOf(id).filter(({ effect, fence }) => effect === 'start' && !told.has(fence));
}

/**
 * A job is one start short in the history for each time that the nemesis took its process away before that could tell of the
 * start: in the handler's first moments, or while another fault kept it from the database. No other start may be missing.
 */
export function* checkUntold({ id }, untold, { faults, dialect }) {
  // SQLite has one write lock: what becomes of its holder is felt by all.
  const isFelt = (fault, loss) => fault.pid === loss.pid || OF_ALL.includes(fault.kind) || dialect === 'sqlite';
  const disturbing = (loss) => faults.filter((fault) => fault !== loss && isFelt(fault, loss));
  // It takes away whoever is connected to the member, and nobody else.
  const isIsolated = (process, at) =>
    faults.some(({ felt, from, to }) => felt?.includes(process) && at > from - TELLING && at < to + RECOVERY);
  const losses = new Set(faults.filter(({ kind }) => LOSSES.includes(kind)));
  for (const { fence, process, at } of untold) {
    const loss = [...losses].find((fault) => fault.pid === process && explains(fault, at, disturbing(fault)));
    losses.delete(loss);
    const text = `attempt ${fence} of job ${id} is missing, and process ${process} was not taken away in its first moments`;
    if (loss === undefined && !isIsolated(process, at)) yield violation('incomplete-history', text);
  }
}

function explains(loss, at, others) {
  // Whoever is stopped on the way to the ledger writes into it after waking up, before hearing that the job is gone.
  if (at > loss.to + TELLING) return false;
  return loss.from - at < TELLING || others.some(({ from, to }) => from <= loss.from && to + RECOVERY >= at);
}
