import { connect, createServer } from 'node:net';

/** What MySQL's and PostgreSQL's clients send to commit, in plain text. */
const COMMIT = Buffer.from('COMMIT');

/**
 * A TCP proxy on a port of its own between one process and the server, whose connections can be broken in every way. Of several
 * servers each connection goes to the first that takes it.
 */
export class Proxy {
  #listener = createServer((client) => this.#accept(client));
  #pairs = new Set();
  /** Server → when a connection to it has ended last. */
  #left = new Map();
  #targets;
  #refusing = false;
  #cutCommit = () => undefined;

  constructor(targets) {
    this.#targets = targets;
  }

  async listen() {
    await new Promise((resolve) => void this.#listener.listen(0, '127.0.0.1', resolve));
    return this.#listener.address().port;
  }

  /** Whether a connection has led to this one of the servers since then. */
  hasLedTo(server, since) {
    return this.#left.get(server) >= since || [...this.#pairs].some(({ target }) => target === server);
  }

  /** Every connection breaks with a reset. */
  drop() {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /** Nothing passes any more, in either direction, and nobody is told. */
  stall() {
    for (const { client, server } of this.#pairs) {
      client.pause();
      server.pause();
    }
    this.#refusing = true;
  }

  resume() {
    this.#refusing = false;
    for (const { client, server } of this.#pairs) {
      client.resume();
      server.resume();
    }
  }

  /** The server seems to say goodbye, while it still has the client's connection and its locks. */
  halfClose() {
    for (const { client } of this.#pairs) client.end();
  }

  /** `decide()` answers for each COMMIT: 'before' (it never reaches the server), 'after' (its answer is lost), or undefined. */
  cutCommits(decide) {
    this.#cutCommit = decide;
  }

  /** Not by a reset: that waits until everything is written, which nobody may read any more. */
  close() {
    this.#listener.close();
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  /** The server speaks first: nothing is lost while it is looked for. */
  #accept(client, [target, ...others] = this.#targets) {
    const server = connect(target);
    client.on('error', () => undefined);
    if (others.length === 0) return this.#join(client, server, target);
    const next = () => this.#accept(client, others);
    server.once('error', next);
    server.once('connect', () => {
      server.off('error', next);
      this.#join(client, server, target);
    });
  }

  #join(client, server, target) {
    // It has left while a member was looked for: nobody would end the connection.
    if (client.destroyed) return server.destroy();
    const pair = { client, server, target };
    this.#pairs.add(pair);
    client.on('data', (data) => this.#forward(data, pair));
    server.on('data', (data) => client.writable && client.write(data));
    if (this.#refusing) {
      client.pause();
      server.pause();
    }
    for (const [end, other] of [
      [client, server],
      [server, client],
    ]) {
      end.on('error', () => undefined);
      end.on('close', () => {
        this.#pairs.delete(pair);
        this.#left.set(target, Date.now());
        other.destroy();
      });
    }
  }

  #forward(data, { client, server }) {
    const cut = data.includes(COMMIT) ? this.#cutCommit() : undefined;
    if (cut === undefined) {
      if (server.writable) server.write(data);
      return;
    }
    client.resetAndDestroy();
    if (cut === 'before') return server.resetAndDestroy();
    // The client's end must not take the server's connection away before the COMMIT has been read from it.
    client.removeAllListeners('close');
    server.end(data);
  }
}
