import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';

const RESULTS = new URL('../results/', import.meta.url);

/** Markdown, printed as it comes and kept to be saved. */
export class Report {
  #lines = [];

  constructor(quick) {
    this.print(`# Benchmark of ${today()}${quick ? ' (--quick: shows that it works, not how fast)' : ''}\n`);
  }

  print(text) {
    this.#lines.push(text);
    console.log(text);
  }

  /** Rows are objects with the same keys, which are the heads of the columns. */
  table({ title, rows, note }) {
    const heads = Object.keys(rows[0]);
    const line = (cells) => `| ${cells.join(' | ')} |`;
    this.print(`\n### ${title}\n`);
    this.print([line(heads), line(heads.map(() => '---')), ...rows.map((row) => line(Object.values(row)))].join('\n'));
    if (note !== undefined) this.print(`\n${note}`);
  }

  save() {
    const file = new URL(`${today()}.md`, RESULTS);
    mkdirSync(RESULTS, { recursive: true });
    writeFileSync(file, `${this.#lines.join('\n')}\n`);
    return fileURLToPath(file);
  }
}

/** Figures of one machine cannot be compared with another's, and those of a busy one with nothing. */
export function machine() {
  return `Node ${process.version}, ${cpus().length} cores, load average at the start: ${machine.load().join(' ')}`;
}
machine.load = () => loadavg().map((load) => load.toFixed(2));

function today() {
  return new Date().toISOString().slice(0, 10);
}
