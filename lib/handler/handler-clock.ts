import { Injectable } from '@nestjs/common';

/** Which handlers have run since the last look, to tell which of them has kept the event loop from everything else. */
@Injectable()
export class HandlerClock {
  private readonly running = new Map<string, number>();
  /** Since the last look: job type → the longest that one call has kept the event loop, in milliseconds. */
  private seen = new Map<string, number>();

  /** The handler runs, across its awaits, until `left()`. */
  entered(type: string): void {
    this.running.set(type, (this.running.get(type) ?? 0) + 1);
    this.seen.set(type, this.seen.get(type) ?? 0);
  }

  left(type: string): void {
    const others = (this.running.get(type) ?? 1) - 1;
    if (others > 0) this.running.set(type, others);
    else this.running.delete(type);
  }

  /** What a handler has done up to its first await took so long. */
  called(type: string, milliseconds: number): void {
    this.seen.set(type, Math.max(milliseconds, this.seen.get(type) ?? 0));
  }

  /** Whose doing it was that nothing else had a turn for so long: one, if it alone accounts for it; else all that have run. */
  suspects(milliseconds: number): string[] {
    const culprit = [...this.seen].find(([, longest]) => longest >= milliseconds);
    return culprit === undefined ? [...this.seen.keys()] : [culprit[0]];
  }

  /** Begins a new look. */
  reset(): void {
    this.seen = new Map([...this.running.keys()].map((type) => [type, 0]));
  }
}
