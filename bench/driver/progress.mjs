import cliProgress from 'cli-progress';

/** On stderr, so that stdout is the report. */
export class Progress {
  #bar;

  constructor(total) {
    this.#bar = new cliProgress.SingleBar(
      {
        format: '{bar} {value}/{total}, {eta_formatted} left: {cell}',
        stream: process.stderr,
        noTTYOutput: true,
        notTTYSchedule: 10_000,
        clearOnComplete: true,
      },
      cliProgress.Presets.shades_classic,
    );
    this.#bar.start(total, 0, { cell: '' });
  }

  at({ measure, system, database, variant }) {
    this.#bar.update({ cell: `${measure} ${variant}, ${system} on ${database}` });
  }

  done() {
    this.#bar.increment();
  }

  stop() {
    this.#bar.stop();
  }
}
