import { Presets, SingleBar } from 'cli-progress';
import type { Output } from './output.js';

/** How far long work is: a bar, or a count where nobody knows the end. Nothing where nobody watches. */
export class Progress {
  private readonly bar: SingleBar | undefined;
  private started = false;

  constructor(
    output: Output,
    private readonly verb: string,
    private readonly total?: number,
  ) {
    if (!output.showsProgress) return;
    const format = total === undefined ? '{verb} {value}' : '{verb} {bar} {value}/{total}';
    // Ctrl-C is ours to hear: the bar would keep the process from ending by it.
    const options = { format, stream: process.stderr, gracefulExit: false, hideCursor: false };
    this.bar = new SingleBar(options, Presets.shades_classic);
  }

  /** Short work is over before it would show. */
  update(value: number): void {
    if (this.bar === undefined) return;
    if (!this.started) this.bar.start(this.total ?? Number.MAX_SAFE_INTEGER, 0, { verb: this.verb });
    this.started = true;
    this.bar.update(value);
  }

  stop(): void {
    this.bar?.stop();
  }
}
