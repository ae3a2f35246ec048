import { median } from './statistics.mjs';

const MOST_TEXT = 400;

/** The figures of every round of every cell. */
export class Results {
  failures = [];
  #cells = new Map();

  add(cell, figures) {
    const rounds = this.#cells.get(keyOf(cell)) ?? [];
    rounds.push(figures);
    this.#cells.set(keyOf(cell), rounds);
  }

  fail({ measure, variant, system, database }, error) {
    this.failures.push(`${measure} ${variant}, ${system} on ${database}: ${error.message.slice(0, MOST_TEXT)}`);
  }

  /** One figure of each round; none when the cell was not measured. */
  rounds({ figure, ...cell }) {
    return (this.#cells.get(keyOf(cell)) ?? [])
      .map((figures) => figures[figure])
      .filter((value) => value !== undefined);
  }

  median(cell) {
    const rounds = this.rounds(cell);
    return rounds.length === 0 ? undefined : median(rounds);
  }

  /** What was measured on which server, in the order in which it was. */
  systems(measure) {
    const found = [...this.#cells.keys()].map((key) => JSON.parse(key)).filter(([name]) => name === measure);
    const pairs = new Map(found.map(([, , system, database]) => [`${system} ${database}`, { system, database }]));
    return [...pairs.values()];
  }

  toJSON() {
    return [...this.#cells].map(([key, figures]) => {
      const [measure, variant, system, database] = JSON.parse(key);
      return { measure, variant, system, database, figures };
    });
  }
}

function keyOf({ measure, variant, system, database }) {
  return JSON.stringify([measure, variant, system, database]);
}
