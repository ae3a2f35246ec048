import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { findGalera } from './binaries.mjs';
import { accountOf, freePort, ThrowawayServer } from './throwaway.mjs';

/** Not UTC, with daylight saving time, as for the other servers. */
const TIME_ZONE = 'Europe/Berlin';
/** On a busy machine a member that copies its data from another one takes its time. */
const JOIN_MS = 60_000;

/**
 * How soon a member that is not heard of is left out; the defaults are three to five times that, and the leases of tests end earlier.
 * The three belong together: a member whose sign of life comes too seldom is suspected while it lives.
 */
const DETECTION = {
  'evs.keepalive_period': 'PT0.3S',
  'evs.inactive_check_period': 'PT0.3S',
  'evs.suspect_timeout': 'PT2S',
  'evs.inactive_timeout': 'PT4S',
  'evs.install_timeout': 'PT4S',
  // How long one that was left out is not let in again.
  'gmcast.time_wait': 'PT1S',
};

/** It is copied. */
const SMALL = ['--innodb-log-file-size=32M'];

/**
 * Starts a MariaDB Galera cluster of our own, all its members synced; undefined when the programs are missing.
 *
 * All members begin with copies of the same new data: none of them has to be sent everything.
 */
export async function startGalera({ members: count = 3, maxConnections = 200 } = {}) {
  const programs = findGalera();
  if (!programs) return undefined;
  const members = [];
  const stop = () => Promise.all(members.map((member) => member.end()));
  try {
    const port = await freePort();
    for (let n = 1; n <= count; n++) members.push(await createMember(n, port, programs, { members, maxConnections }));
    await members[0].install();
    for (const member of members.slice(1)) await member.copyFrom(members[0]);
    for (const member of members) await member.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { members, stop };
}

/** As on machines of their own: each member has another address, and clients find all of them at the same port. */
async function createMember(n, sql, programs, settings) {
  const ports = { sql, group: await freePort(), copy: await freePort(), catchUp: await freePort() };
  return new GaleraMember(n, programs, ports, settings);
}

class GaleraMember {
  #name;
  #programs;
  #ports;
  #members;
  #maxConnections;
  #server;
  #isUp = false;

  /** @param settings.members all of the cluster, which grows */
  constructor(n, programs, ports, { members, maxConnections }) {
    this.#name = `member${n}`;
    this.#programs = programs;
    this.#ports = ports;
    this.#members = members;
    this.#maxConnections = maxConnections;
    this.host = `127.0.0.${n}`;
    this.port = ports.sql;
    this.url = `mysql://root@${this.host}:${this.port}`;
    // As root it would refuse to hand its data to another member.
    this.#server = new ThrowawayServer({ stopSignal: 'SIGTERM', owner: accountOf('mysql') });
  }

  async install() {
    const args = ['--no-defaults', `--datadir=${this.#data}`, `--tmpdir=${this.#server.folder}`, ...SMALL];
    const users = ['--auth-root-authentication-method=normal', '--skip-test-db', '--skip-name-resolve'];
    await this.#server.run(this.#programs.install, [...args, ...users]);
    // Only what has been in a cluster knows whose data it is.
    await this.start();
    this.#isUp = false;
    await this.#server.halt();
  }

  async copyFrom(other) {
    await this.#server.run('cp', ['-a', other.#data, this.#data]);
  }

  /** `kill -9`. */
  async kill() {
    this.#isUp = false;
    await this.#server.crash();
  }

  /**
   * Starts it, the first time or after `kill()`, and waits until it is synced. While no other member runs it begins the cluster
   * again with its own data: after the end of all members it must be the one that was killed last.
   */
  async start() {
    const begins = !this.#members.some((member) => member.#isUp);
    const position = await this.#recoverPosition();
    if (begins) this.#writeState(this.#readState().replace('safe_to_bootstrap: 0', 'safe_to_bootstrap: 1'));
    const args = [...this.#args(), ...position, ...(begins ? ['--wsrep-new-cluster'] : [])];
    await this.#server.start(this.#programs.server, args, {
      env: { TZ: TIME_ZONE },
      readyWithin: JOIN_MS,
      connect: async () => {
        if (!(await this.isSynced())) throw new Error(`${this.#name} is not synced`);
      },
    });
    this.#isUp = true;
  }

  /** Cuts it off from the other members, though not from its clients. */
  async isolate() {
    await this.#execute("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'");
  }

  /** Ends `isolate()`, and waits until it is synced. */
  async rejoin() {
    await this.#execute("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'");
    await this.synced();
  }

  async isSynced() {
    const [rows] = await this.#execute(
      "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_local_state_comment', 'wsrep_ready', 'wsrep_cluster_status')",
    );
    const values = rows.map((row) => row.Value);
    return ['Synced', 'ON', 'Primary'].every((value) => values.includes(value));
  }

  async synced() {
    const deadline = Date.now() + JOIN_MS;
    while (!(await this.isSynced())) {
      if (Date.now() > deadline) throw new Error(`${this.#name} is not synced`);
      await new Promise((resolve) => void setTimeout(resolve, 50));
    }
  }

  /** For good: nobody needs its data any more. */
  async end() {
    await this.#server.crash();
    await this.#server.stop();
  }

  async #execute(sql) {
    const connection = await mysql.createConnection(this.url);
    try {
      return await connection.query(sql);
    } finally {
      connection.destroy();
    }
  }

  /**
   * A member that was killed does not know in its state file how far it came, and would be sent all data. InnoDB knows: with
   * that, it is sent only what it has missed.
   */
  async #recoverPosition() {
    if (!/seqno: +-1/.test(this.#readState())) return [];
    const log = join(this.#server.folder, 'recovered.log');
    await this.#server.run(this.#programs.server, [...this.#args(), '--wsrep-recover', `--log-error=${log}`]);
    const position = [...readFileSync(log, 'utf8').matchAll(/Recovered position: (\S+)/g)].at(-1)?.[1];
    return position ? [`--wsrep-start-position=${position}`] : [];
  }

  get #data() {
    return join(this.#server.folder, 'data');
  }

  /** Empty before its first start. */
  #readState() {
    return existsSync(this.#stateFile) ? readFileSync(this.#stateFile, 'utf8') : '';
  }

  #writeState(state) {
    if (state) writeFileSync(this.#stateFile, state);
  }

  get #stateFile() {
    return join(this.#data, 'grastate.dat');
  }

  #args() {
    const { folder } = this.#server;
    const { sql, group, copy, catchUp } = this.#ports;
    const options = {
      ...DETECTION,
      'gmcast.listen_addr': `tcp://${this.host}:${group}`,
      'ist.recv_addr': `${this.host}:${catchUp}`,
      'gcache.size': '64M',
    };
    return [
      '--no-defaults',
      `--datadir=${this.#data}`,
      `--socket=${join(folder, 'socket')}`,
      `--pid-file=${join(folder, 'pid')}`,
      `--tmpdir=${folder}`,
      `--bind-address=${this.host}`,
      `--port=${sql}`,
      '--skip-name-resolve',
      `--max-connections=${this.#maxConnections}`,
      '--max-allowed-packet=64M',
      '--character-set-server=utf8mb4',
      '--default-time-zone=SYSTEM',
      '--binlog-format=ROW',
      '--innodb-autoinc-lock-mode=2',
      '--innodb-flush-log-at-trx-commit=0',
      '--innodb-buffer-pool-size=128M',
      ...SMALL,
      '--wsrep-on=ON',
      `--wsrep-provider=${this.#programs.provider}`,
      '--wsrep-cluster-name=pq-test',
      `--wsrep-cluster-address=gcomm://${this.#members.map((member) => `${member.host}:${member.#ports.group}`).join(',')}`,
      `--wsrep-node-name=${this.#name}`,
      `--wsrep-node-address=${this.host}:${group}`,
      `--wsrep-node-incoming-address=${this.host}:${sql}`,
      '--wsrep-sst-method=rsync',
      `--wsrep-sst-receive-address=${this.host}:${copy}`,
      '--wsrep-slave-threads=2',
      `--wsrep-provider-options=${Object.entries(options)
        .map((option) => option.join('='))
        .join(';')}`,
    ];
  }
}
