import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from './random.mjs';

const HOUR = 3_600_000;

/** Does the plan, counts what it has done, and writes down for the checker to whom and when. */
export class Nemesis {
  #members;
  #database;
  #random;
  #journal;
  #breaking = Promise.resolve();
  /** Kind → how often. */
  faults = new Map();

  constructor({ members, database, seed, folder }) {
    this.#members = members;
    this.#database = database;
    this.#random = new Random(seed + 1);
    this.#journal = join(folder, 'nemesis.jsonl');
  }

  /** Resolves when the last fault is over: everything runs again, and all connections may be used. */
  async carryOut(plan) {
    const began = performance.now();
    const underWay = [];
    for (const fault of plan) {
      await sleep(Math.max(0, began + fault.at - performance.now()));
      underWay.push(this.#commit(fault));
    }
    await Promise.all(underWay);
    for (const member of this.#members.values()) member.send({ kind: 'clock', shift: 0 });
  }

  async #commit(fault) {
    const { kind, target } = fault;
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
    const member = this.#members.get(target);
    const pid = member?.pid;
    const from = Date.now();
    const felt = await FAULTS[kind].call(this, member, fault);
    const line = { kind, target, pid, from, to: Date.now(), felt };
    appendFileSync(this.#journal, `${JSON.stringify(line)}\n`);
  }

  /** One at a time: the next one needs a server that runs, or a cluster that is whole. */
  breakDatabase(breaking) {
    this.#breaking = this.#breaking.then(() => breaking(this.#database));
    return this.#breaking;
  }

  /** Half of the commits, before they reach the server or after they have. */
  drawCut() {
    if (this.#random.chance(0.5)) return undefined;
    return this.#random.pick(['before', 'after']);
  }

  /** The processes that have been connected to this server since then, as they are now. */
  connectedTo(server, since) {
    return [...this.#members.values()].filter(({ proxy }) => proxy.hasLedTo(server, since)).map(({ pid }) => pid);
  }

  drawShift() {
    return this.#random.pick([-HOUR, HOUR]);
  }
}

const FAULTS = {
  async 'kill a worker'(member) {
    member.kill();
  },
  async 'kill a producer'(member) {
    member.kill();
  },
  'stop a worker': (member, { ms }) => member.freeze(ms),
  'restart the database'(_, { ms }) {
    return this.breakDatabase(async (database) => {
      await database.crash();
      await sleep(ms);
      await database.restart();
    });
  },
  'kill a member of the cluster'(_, { target, ms }) {
    return this.breakDatabase(async ({ members }) => {
      const member = members[indexOf(target)];
      await member.kill();
      await sleep(ms);
      await member.start();
    });
  },
  /** Its clients stay with it: answers who they were, at its beginning and at its end. */
  async 'isolate a member of the cluster'(_, { target, ms }) {
    const felt = [];
    await this.breakDatabase(async ({ members }) => {
      const member = members[indexOf(target)];
      const from = Date.now();
      felt.push(...this.connectedTo(member, from));
      await member.isolate();
      await sleep(ms);
      await member.rejoin();
      felt.push(...this.connectedTo(member, from));
    });
    return felt;
  },
  async 'drop connections'({ proxy }) {
    proxy.drop();
  },
  async 'stall connections'({ proxy }, { ms }) {
    proxy.stall();
    await sleep(ms);
    proxy.resume();
  },
  async 'half-close connections'({ proxy }) {
    proxy.halfClose();
  },
  async 'cut commits'({ proxy }, { ms }) {
    proxy.cutCommits(() => this.drawCut());
    await sleep(ms);
    proxy.cutCommits(() => undefined);
  },
  async 'lie about the clock'(member) {
    member.send({ kind: 'clock', shift: this.drawShift() });
  },
  async 'fill the pool'(member, { ms }) {
    member.send({ kind: 'fill the pool', ms });
    await sleep(ms);
  },
  async 'kill the holder of the write lock'(member, { ms }) {
    member.send({ kind: 'hold the write lock', ms: 60_000 });
    await Promise.race([member.said('holding'), sleep(10_000)]);
    await sleep(Math.min(ms, 1_500));
    member.kill();
  },
};

function indexOf(target) {
  return Number(target.split('-').at(-1));
}
