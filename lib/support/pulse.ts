const TICK = 0;
const BEAT = 1;
const SINCE = 2;
const NODE = 3;
const SLOTS = 4;

/** Long ago, and small enough to be added to. */
const NEVER = -1e15;

/** Milliseconds of a clock that only goes forward, the same in every thread of this process: `performance.now()` is not. */
export function processTime(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

/** What the threads of one node tell each other without an event loop: in memory that both of them see. */
export class Pulse {
  private readonly slots: BigInt64Array;

  /** `gap`: beats that are further apart than this, in milliseconds, are no unbroken series. */
  constructor(
    private readonly gap: number,
    readonly memory = new SharedArrayBuffer(SLOTS * BigInt64Array.BYTES_PER_ELEMENT),
  ) {
    this.slots = new BigInt64Array(memory);
  }

  /** Whose beats are wanted. Not a string of any kind: ids of nodes are numbers. */
  get node(): string | undefined {
    const node = Atomics.load(this.slots, NODE);
    return node === 0n ? undefined : String(node);
  }

  set node(node: string | undefined) {
    Atomics.store(this.slots, NODE, BigInt(node ?? 0));
  }

  /** When the last beat that has arrived was sent, in `processTime()`. */
  get lastBeat(): number {
    return this.read(BEAT);
  }

  /** Since when they have come without a gap. */
  get beatingSince(): number {
    return this.read(SINCE);
  }

  /** For how long the main thread has not had a turn of its event loop. */
  get stillness(): number {
    return processTime() - this.read(TICK);
  }

  /** The main thread is not hung. */
  tick(): void {
    this.write(TICK, processTime());
  }

  /** Milliseconds until the last beat is older than `patience`; 0 or less when it is. */
  dueIn(patience: number): number {
    return this.lastBeat + patience - processTime();
  }

  noteBeat(sent: number): void {
    if (sent - this.lastBeat > this.gap) this.write(SINCE, sent);
    // Two threads may have beaten at the same time.
    if (sent > this.lastBeat) this.write(BEAT, sent);
  }

  forgetBeats(): void {
    this.write(BEAT, NEVER);
  }

  private read(slot: number): number {
    return Number(Atomics.load(this.slots, slot)) / 1_000;
  }

  private write(slot: number, milliseconds: number): void {
    Atomics.store(this.slots, slot, BigInt(Math.round(milliseconds * 1_000)));
  }
}
