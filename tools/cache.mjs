import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const UNFINISHED = 'unfinished-';
const ABANDONED_MS = 60 * 60 * 1_000;

/** What was downloaded for the tests, of one kind: a folder for each version. */
export class Cache {
  /** @param chosen the user's own choice of a folder; without one it is in the user's cache, or in the repository's. */
  constructor(kind, chosen) {
    const { XDG_CACHE_HOME: ofUser } = process.env;
    const ofRepository = () => join(dirname(dirname(fileURLToPath(import.meta.url))), '.cache');
    this.folder = chosen || join(ofUser ? join(ofUser, 'nestjs-persistent-queue') : ofRepository(), kind);
  }

  /** The folders of the complete versions, the newest last. */
  get versions() {
    if (!existsSync(this.folder)) return [];
    return readdirSync(this.folder)
      .filter((name) => !name.startsWith(UNFINISHED))
      .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      .map((version) => join(this.folder, version));
  }

  /**
   * Adds a version. `fill` is handed an empty folder to work in, and answers the name of the version and what belongs to it: it
   * gets its name when it is complete, and all at once, so that nobody ever finds half of one.
   */
  add(fill) {
    mkdirSync(this.folder, { recursive: true });
    this.#removeAbandoned();
    const work = mkdtempSync(join(this.folder, UNFINISHED));
    try {
      const { version, content } = fill(work);
      this.#moveInto(content, join(this.folder, version));
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }

  #moveInto(content, target) {
    try {
      renameSync(content, target);
    } catch (error) {
      // Somebody else was faster.
      if (!existsSync(target)) throw error;
    }
  }

  /** What a run that was killed has left. */
  #removeAbandoned() {
    for (const name of readdirSync(this.folder)) {
      const folder = join(this.folder, name);
      const isAbandoned = name.startsWith(UNFINISHED) && statSync(folder).mtimeMs < Date.now() - ABANDONED_MS;
      if (isAbandoned) rmSync(folder, { recursive: true, force: true });
    }
  }
}
