// The same for every application, and from outside: its processes, its HTTP, nothing of its code.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

const ORDERS = 300;
const AT_ONCE = 10;
/** Much less than what the jobs that wait would take, and than `shutdownTimeout`. */
const STOP_WITHIN = 5_000;
/** Node's HTTP server waits 5 s for clients that keep theirs: what is measured is the stop of the application. */
const NO_KEEP_ALIVE = { connection: 'close' };
const PROGRAMS = ['dist/main.js', 'dist/worker.js'].filter((program) => existsSync(program));

const processes = [];
let folder;
before(() => (folder = mkdtempSync(join(tmpdir(), 'shop-'))));
after(() => {
  for (const child of processes) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

test('a SIGTERM in a burst of orders loses no job and runs none twice', async () => {
  let shop = await start();
  const stored = new Set();
  let stopping = Promise.resolve([]);
  await burst(shop, (id) => {
    stored.add(id);
    if (stored.size === ORDERS / 2) stopping = stop(shop);
  });
  const stopped = await stopping;
  assert.ok(stored.size < ORDERS, 'the SIGTERM came too late to be in the middle');
  for (const { program, code, took } of stopped) {
    assert.equal(code, 0, `${program} ended with ${code}`);
    assert.ok(took < STOP_WITHIN, `${program} took ${took} ms`);
  }

  shop = await start();
  const done = await shop.get('notifications');
  assert.ok(done.length < stored.size, `all ${stored.size} jobs had ended before the SIGTERM`);
  const orders = (await shop.get('orders')).map(({ id }) => id);
  for (const id of stored) assert.ok(orders.includes(id), `order ${id} was acknowledged and is not stored`);
  await until(async () => (await shop.get('notifications')).length >= orders.length);
  await stop(shop);

  shop = await start();
  const notified = (await shop.get('notifications')).map(({ orderId }) => orderId);
  assert.deepEqual(notified.toSorted(ascending), orders.toSorted(ascending));
  await stop(shop);
});

/** One after the other: the first one makes the tables. */
async function start() {
  const env = { ...process.env, DATABASE: join(folder, 'shop.sqlite'), PORT: '0' };
  const children = [];
  let url;
  for (const program of PROGRAMS) {
    const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    processes.push(child);
    children.push({ program, child });
    const line = await readyLine(child);
    url ??= /http:\S+$/.exec(line)[0].replace('[::1]', 'localhost');
  }
  return { url, children, get: async (path) => (await fetch(`${url}/${path}`, { headers: NO_KEEP_ALIVE })).json() };
}

/** The line that says so: warnings may come before it. */
async function readyLine(child) {
  for await (const line of createInterface({ input: child.stdout })) {
    if (!/^(listening on|working)/.test(line)) continue;
    // Nobody reads the rest, and a full pipe would stop the process.
    child.stdout.resume();
    return line;
  }
  return assert.fail('it ended before it was ready');
}

/** Orders until the shop refuses. */
async function burst({ url }, onStored) {
  let next = 0;
  const customer = async () => {
    while (next < ORDERS) {
      const body = JSON.stringify({ item: `item ${next++}` });
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${url}/orders`, {
        method: 'POST',
        headers: { ...headers, ...NO_KEEP_ALIVE },
        body,
      }).catch(() => undefined);
      // No connection, or Fastify's answer while it closes. Whoever gets another one is served.
      if (response === undefined || response.status === 503) continue;
      assert.equal(response.status, 201);
      onStored((await response.json()).id);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, customer));
}

function stop({ children }) {
  return Promise.all(
    children.map(async ({ program, child }) => {
      const began = performance.now();
      child.kill('SIGTERM');
      const [code, signal] = await once(child, 'exit');
      return { program, code: code ?? signal, took: performance.now() - began };
    }),
  );
}

async function until(condition) {
  const giveUpAt = performance.now() + 30_000;
  while (!(await condition())) {
    assert.ok(performance.now() < giveUpAt, 'not within 30 s');
    await pause(50);
  }
}

function ascending(a, b) {
  return a - b;
}
