import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';

const RESULTS = new URL('../results/', import.meta.url);

/** Markdown, printed as it comes and kept to be saved. */
export class Report {
  #lines = [];

  constructor({ quick }) {
    this.print(`# Benchmark of ${today()}${quick ? ' (--quick: shows that it works, not how fast)' : ''}`);
    this.print(`\nNode ${process.version}, ${cpus().length} cores. Load average at the start: ${load()}.`);
  }

  print(text) {
    this.#lines.push(text);
    console.log(text);
  }

  /** Rows are objects with the same keys, which are the heads of the columns. */
  table({ title, rows, note }) {
    const heads = Object.keys(rows[0]);
    this.print(`\n### ${title}\n`);
    this.print([line(heads), line(heads.map(() => '---')), ...rows.map((row) => line(Object.values(row)))].join('\n'));
    if (note !== undefined) this.print(`\n${note}`);
  }

  end() {
    this.print(`\nLoad average at the end: ${load()}.`);
  }

  save() {
    const file = new URL(`${today()}.md`, RESULTS);
    mkdirSync(RESULTS, { recursive: true });
    writeFileSync(file, `${this.#lines.join('\n')}\n`);
    return fileURLToPath(file);
  }
}

function line(cells) {
  return `| ${cells.join(' | ')} |`;
}

function load() {
  return loadavg()
    .map((average) => average.toFixed(2))
    .join(' ');
}

function today() {
  return new Date().toISOString().slice(0, 10);
}
