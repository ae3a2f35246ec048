import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Between two looks whether a server is there. */
const LOOK_MS = 20;
const READY_MS = 30_000;
const STOP_MS = 15_000;

/** Server processes with their folders, of this process: whatever ends it, they go first. */
const running = new Set();

process.on('exit', () => {
  for (const server of running) server.destroy();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
}

/** A server process with a folder of its own under the system's temporary folder. */
export class ThrowawayServer {
  #stopSignal;
  #owner;
  #child;
  #companions = [];
  #again;

  /** @param owner `{ uid, gid }` to run as, for servers that refuse to run as root */
  constructor({ stopSignal, owner }) {
    this.#stopSignal = stopSignal;
    this.#owner = owner;
    this.folder = mkdtempSync(join(tmpdir(), 'pq-test-'));
    running.add(this);
    if (owner) chownSync(this.folder, owner.uid, owner.gid);
  }

  /** Runs a program of the server's to its end, for example the one that creates the data folder. */
  async run(program, args) {
    const [code] = await once(this.#spawn(program, args), 'exit');
    if (code !== 0) throw new Error(`${program} ended with status ${code}\n${this.#log()}`);
  }

  /** Starts a program that the server needs beside it, which outlives its crashes and ends with its folder. */
  accompany(program, args) {
    this.#companions.push(this.#spawn(program, args));
  }

  /** Starts the server and waits until `connect` succeeds. */
  async start(program, args, { env, connect, readyWithin = READY_MS }) {
    this.#again = () => this.start(program, args, { env, connect, readyWithin });
    this.#child = this.#spawn(program, args, env);
    const deadline = Date.now() + readyWithin;
    for (;;) {
      try {
        return await connect();
      } catch (error) {
        if (hasEnded(this.#child)) throw new Error(`${program} ended at its start\n${this.#log()}`, { cause: error });
        if (Date.now() > deadline) throw new Error(`${program} is not ready\n${this.#log()}`, { cause: error });
        await sleep(LOOK_MS);
      }
    }
  }

  /** `kill -9`: as a power cut, but for what the system still has in its own buffers. */
  async crash() {
    if (!this.#child || hasEnded(this.#child)) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  /** Starts it again on its data, after `crash()`: not at once where what the dead one has left must go first. */
  async restart() {
    const deadline = Date.now() + READY_MS;
    for (;;) {
      try {
        return await this.#again();
      } catch (error) {
        if (!hasEnded(this.#child) || Date.now() > deadline) throw error;
        await sleep(LOOK_MS);
      }
    }
  }

  async stop() {
    await this.halt();
    this.destroy();
  }

  /** Ends the server, and keeps its folder. */
  async halt() {
    if (this.#child && !hasEnded(this.#child)) {
      const ended = once(this.#child, 'exit');
      this.#child.kill(this.#stopSignal);
      const inTime = await Promise.race([ended.then(() => true), sleep(STOP_MS, false, { ref: false })]);
      if (!inTime) this.#child.kill('SIGKILL');
      await ended;
    }
  }

  /** The synchronous end, for exit hooks. */
  destroy() {
    running.delete(this);
    for (const child of [this.#child, ...this.#companions]) if (child && !hasEnded(child)) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #spawn(program, args, env = {}) {
    const log = openSync(join(this.folder, 'server.log'), 'a');
    return spawn(program, args, {
      ...this.#owner,
      cwd: this.folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log],
    });
  }

  #log() {
    return readFileSync(join(this.folder, 'server.log'), 'utf8').split('\n').slice(-30).join('\n');
  }
}

function hasEnded(child) {
  return child.exitCode !== null || child.signalCode !== null;
}

/** A free loopback port below the range from which outgoing connections take theirs. */
export async function freePort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const probe = createServer();
    const free = await new Promise((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen({ port, host: '127.0.0.1' }, () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => void probe.close(resolve));
    return port;
  }
}

/** A server that refuses to run as root: its packages bring a user to run it as. Undefined for who is not root. */
export function accountOf(user) {
  if (process.getuid() !== 0) return undefined;
  const id = (flag) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
