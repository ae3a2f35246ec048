import type { OperationJob } from '../job/operation.js';
import { hasEnded, type Settlement } from '../job/settlement.js';
import type { KnownRow, TakenOver } from '../repository/operation-repository.js';

/** What is known of a row that has run before and not ended. */
export type RowPast = Pick<KnownRow, 'retries' | 'crashes' | 'suspect'>;

interface WaitingRow extends RowPast {
  /** `performance.now()` of its next attempt. */
  readonly dueAt: number;
}

interface RunningRow {
  readonly row: OperationJob;
  readonly past: RowPast;
  readonly turn: number;
}

const NEW: RowPast = { retries: 0, crashes: 0, suspect: false };

/**
 * Which rows of one term run, and which wait for their next attempt. In memory, because nobody else writes about them as long as
 * the lock is held; what a later holder must know is in the database.
 */
export class RowBook {
  private readonly running = new Map<string, RunningRow>();
  private readonly waiting = new Map<string, WaitingRow>();
  /** They have ended after a load began: what that answers may be older. */
  private readonly settled = new Set<string>();
  private turns = 0;
  /** The database's clock, less `performance.now()`. */
  private offset = 0;

  constructor(private readonly maxCrashes: number) {}

  get size(): number {
    return this.running.size;
  }

  know({ rows, now }: TakenOver): void {
    this.setClock(now);
    for (const { id, dueIn, ...past } of rows) this.waiting.set(id, { ...past, dueAt: performance.now() + dueIn });
  }

  /** `now`: the database's. */
  setClock(now: number): void {
    this.offset = now - performance.now();
  }

  /** Rows that are of no use now. */
  beginLoad(): Set<string> {
    this.settled.clear();
    const now = performance.now();
    const asleep = [...this.waiting].filter(([, { dueAt }]) => dueAt > now).map(([id]) => id);
    return new Set([...this.running.keys(), ...asleep]);
  }

  /**
   * Those of the loaded rows that may run now, at most so many. Of those on their last chance one: they run alone, and the others would
   * have begun for whoever finds the crash.
   */
  choose(loaded: ReadonlyMap<string, OperationJob>, most: number): OperationJob[] {
    const chosen: OperationJob[] = [];
    let loners = 0;
    for (const [id, row] of loaded) {
      if (chosen.length === most) break;
      if (!this.mayRun(id, row) || (this.isOnLastChance(id) && ++loners > 1)) continue;
      chosen.push(row);
    }
    return chosen;
  }

  begin(row: OperationJob): RowPast {
    const id = String(row.id);
    const past = this.waiting.get(id) ?? NEW;
    this.waiting.delete(id);
    this.running.set(id, { row, past, turn: ++this.turns });
    return past;
  }

  /** `undefined` for one that does not run, or not any more. */
  get(id: string): RunningRow | undefined {
    return this.running.get(id);
  }

  /** What is not running any more has ended before: two may tell, when one of them did not hear of the other's commit. */
  end(settlement: Settlement): void {
    const { id, delay, usesRetry } = settlement;
    const running = this.running.get(id);
    if (running === undefined) return;
    this.running.delete(id);
    this.settled.add(id);
    if (hasEnded(settlement)) return;
    const { past } = running;
    const retries = past.retries + (usesRetry ? 1 : 0);
    this.waiting.set(id, { ...past, retries, dueAt: performance.now() + (delay ?? 0) });
  }

  /** Milliseconds until the next of those that wait is due; of what is due already, no load answers that it may run. */
  get nextDueIn(): number | undefined {
    const now = performance.now();
    let next = Infinity;
    for (const { dueAt } of this.waiting.values()) if (dueAt > now) next = Math.min(next, dueAt);
    return next === Infinity ? undefined : next - now;
  }

  private isOnLastChance(id: string): boolean {
    const { suspect, crashes } = this.waiting.get(id) ?? NEW;
    return suspect && crashes + 1 >= this.maxCrashes;
  }

  private mayRun(id: string, { dueAt }: OperationJob): boolean {
    if (this.running.has(id) || this.settled.has(id)) return false;
    const now = performance.now();
    if (dueAt !== undefined && dueAt.getTime() > now + this.offset) return false;
    const waiting = this.waiting.get(id);
    return waiting === undefined || waiting.dueAt <= now;
  }
}
