import { fork } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { violation } from './checks/violation.mjs';
import { Proxy } from './proxy.mjs';

const PAUSE = 300;
const FIRST_START = 90_000;

/** One worker or producer: a process that is started again whenever it has died, and its proxy to the server. */
export class Member {
  #script;
  #index;
  #settings;
  #database;
  #folder;
  #child;
  #stopping = false;
  #killed = new WeakSet();
  #ready = new WeakSet();
  #life;
  /**
   * How often it has ended although nobody had killed it: the library, or the harness, has done that. A start that fails is none:
   * an application says what it misses, and is started again.
   */
  deaths = [];

  /** @param index which of the servers of a cluster it begins with */
  constructor({ name, script, index, settings, database, folder }) {
    this.name = name;
    this.#index = index;
    this.#script = fileURLToPath(new URL(`./processes/${script}.mjs`, import.meta.url));
    this.#settings = settings;
    this.#database = database;
    this.#folder = folder;
  }

  /** Resolves when it runs: on a slow machine the faults would be over before there is anything to break. */
  async start() {
    if (this.#database.port !== undefined) {
      this.proxy = new Proxy(this.#database.serversFor(this.#index));
      this.#settings.database = this.#database.optionsThrough(await this.proxy.listen());
    } else this.#settings.database = this.#database.optionsThrough();
    this.#life = this.#live();
    await Promise.race([this.said('ready'), sleep(FIRST_START, undefined, { ref: false })]);
    if (!this.#ready.has(this.#child)) throw new Error(`${this.name} has not started: see its log in ${this.#folder}`);
  }

  /** Of its present life. */
  get pid() {
    return this.#child.pid;
  }

  send(message) {
    // It may die at any moment.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  /** Resolves when the process says so, or has died before. */
  async said(kind) {
    const child = this.#child;
    const heard = new Promise((resolve) => {
      child.on('message', (message) => message.kind === kind && resolve());
    });
    await Promise.race([heard, once(child, 'exit')]);
  }

  kill() {
    this.#killed.add(this.#child);
    this.#child.kill('SIGKILL');
  }

  async freeze(ms) {
    const child = this.#child;
    child.kill('SIGSTOP');
    await sleep(ms);
    child.kill('SIGCONT');
  }

  /** It is told to end, and not started again. */
  async stop(timeout) {
    this.#stopping = true;
    const child = this.#child;
    this.send({ kind: 'stop' });
    if (!this.#script.endsWith('producer.mjs')) child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), timeout);
    await this.#life;
    clearTimeout(late);
    this.proxy?.close();
  }

  destroy() {
    this.#stopping = true;
    this.#child?.kill('SIGKILL');
    this.proxy?.close();
  }

  async #live() {
    for (let life = 0; !this.#stopping; life++) {
      const child = this.#spawn(life);
      const [code, signal] = await once(child, 'exit');
      if (this.#stopping) return;
      const text = `${this.name} ended by itself (${signal ?? code}): see its log`;
      if (this.#ready.has(child) && !this.#killed.has(child)) this.deaths.push(violation('process-ended', text));
      await sleep(PAUSE);
    }
  }

  #spawn(life) {
    const settings = { ...this.#settings, name: `${this.name}-${life}`, seed: this.#settings.seed * 1_000 + life };
    const log = openSync(join(this.#folder, `${this.name}.log`), 'a');
    const clock = new URL('./processes/clock.mjs', import.meta.url).href;
    this.#child = fork(this.#script, [JSON.stringify(settings)], {
      execArgv: ['--enable-source-maps', '--import', clock],
      stdio: ['ignore', log, log, 'ipc'],
    });
    const child = this.#child;
    child.on('message', ({ kind }) => kind === 'ready' && this.#ready.add(child));
    return child;
  }
}
