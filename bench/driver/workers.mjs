import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './child.mjs';

const WORKER = fileURLToPath(new URL('../worker.mjs', import.meta.url));
/** Sixteen processes that are compiled at once on two cores take their time. */
const PATIENCE = 60_000;
const LOOK = 1;

/** The processes of one cell that run its jobs. */
export class Workers {
  #spec;
  #children = [];
  #handled = [];

  constructor({ system, database, address, options }) {
    this.#spec = { system, database, address, options };
  }

  /** Opens them, so that `start()` measures no compiler and no handshake. Answers their memory at rest. */
  async open(count, { concurrency, handler = { kind: 'no-op' }, ...more }) {
    const opened = Array.from({ length: count }, async (_, index) => {
      const child = new Child(WORKER);
      this.#children.push(child);
      this.#handled[index] = 0;
      child.on('handled', ({ handled }) => (this.#handled[index] = handled));
      child.send({ ...this.#spec, concurrency, handler, ...more });
      return (await child.next('ready', PATIENCE)).memory;
    });
    return Promise.all(opened);
  }

  get pids() {
    return this.#children.map((child) => child.pid);
  }

  /** How many jobs each of them says it has handled. */
  get tally() {
    return [...this.#handled];
  }

  start() {
    for (const child of this.#children) child.send({ name: 'start' });
  }

  /** What the first of them answers. */
  async ask(message, answer) {
    const [child] = this.#children;
    const answered = child.next(answer, PATIENCE);
    child.send(message);
    return answered;
  }

  /** Whether so many jobs were handled before `milliseconds` were over. */
  async handled(count, milliseconds) {
    const failure = Promise.race(this.#children.map((child) => child.next('never', 2 * milliseconds + PATIENCE)));
    const reached = (async () => {
      const giveUpAt = performance.now() + milliseconds;
      while (this.#sum() < count) {
        if (performance.now() > giveUpAt) return false;
        await sleep(LOOK);
      }
      return true;
    })();
    failure.catch(() => undefined);
    return Promise.race([reached, failure]);
  }

  /** Lets them finish what they have begun, and answers what each has done. */
  async stop() {
    const stopped = this.#children.map((child) => child.next('stopped', PATIENCE));
    for (const child of this.#children) child.send({ name: 'stop' });
    const reports = await Promise.all(stopped);
    await this.end();
    return reports;
  }

  async end() {
    await Promise.all(this.#children.splice(0).map((child) => child.end()));
    this.#handled = [];
  }

  #sum() {
    return this.#handled.reduce((sum, handled) => sum + handled, 0);
  }
}
