import { fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const MOST_OUTPUT = 4_000;
const STOP_MS = 10_000;

/** A process of the benchmark's that speaks in messages `{ name, … }`. It ends by itself when this process does. */
export class Child extends EventEmitter {
  #process;
  #output = '';

  /** @param node another Node than this one */
  constructor(file, { node = process.execPath } = {}) {
    super();
    this.#process = fork(file, [], { execPath: node, execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream.on('data', (text) => (this.#output = (this.#output + text).slice(-MOST_OUTPUT)));
    this.#process.on('message', (message) => this.emit(message.name, message));
    this.#process.once('exit', (code, signal) => this.emit('exit', code ?? signal));
    // Whoever waits for an answer hears of these; without a listener they would end this process.
    this.on('failed', () => undefined);
  }

  get pid() {
    return this.#process.pid;
  }

  send(message) {
    if (this.#process.connected) this.#process.send(message);
  }

  /** The next message of this name. Rejects when the child fails, ends or says nothing for `timeout` milliseconds. */
  async next(name, timeout) {
    const stopped = new AbortController();
    const { signal } = stopped;
    try {
      return await Promise.race([
        once(this, name, { signal }).then(([message]) => message),
        once(this, 'failed', { signal }).then(([{ error }]) => this.#fail(error)),
        once(this, 'exit', { signal }).then(([status]) => this.#fail(`It ended with ${status}.`)),
        sleep(timeout, undefined, { signal }).then(() => this.#fail(`No "${name}" within ${timeout / 1_000} s.`)),
      ]);
    } finally {
      stopped.abort();
    }
  }

  /** Returns when it has ended: by itself, or it is killed. */
  async end() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    if (this.#process.connected) this.#process.disconnect();
    const stopped = new AbortController();
    const late = sleep(STOP_MS, undefined, { signal: stopped.signal }).then(
      () => this.#process.kill('SIGKILL'),
      () => undefined,
    );
    await ended;
    stopped.abort();
    await late;
  }

  #fail(reason) {
    throw new Error(`${reason}\n${this.#output.trimEnd()}`.trimEnd());
  }
}
