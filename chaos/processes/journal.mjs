import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a producer intended and what it was told, outside of the database, one JSON per line. It outlives kill -9, as what was written to a file does. */
export class Journal {
  #file;

  constructor(folder) {
    this.#file = join(folder, `producer-${process.pid}.jsonl`);
  }

  begin(token, way, jobs) {
    this.#write({ token, way, jobs });
  }

  committed(token, jobs) {
    this.#write({ token, committed: jobs.map(({ id, created }) => ({ id: Number(id), created })) });
  }

  #write(entry) {
    appendFileSync(this.#file, `${JSON.stringify(entry)}\n`);
  }
}
