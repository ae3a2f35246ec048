import { JobQueue, JobRepository } from 'nestjs-persistent-queue';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { plantedRepository } from './planted-repository.mjs';
import { Random } from '../random.mjs';
import { createApplication, endWithParent, readSettings } from './application.mjs';
import { Journal } from './journal.mjs';
import { drawJob } from './payload.mjs';

/** Milliseconds between two rounds, which store about 1.4 jobs each. */
const PAUSE = 90;
const WAYS = ['bought', 'bought', 'bought', 'rolledback', 'plain', 'plain', 'keyed', 'crossed'];

endWithParent();
const { name, dialect, database, seed, plant, folder } = readSettings();
const random = new Random(seed);
const journal = new Journal(folder);
const application = await createApplication(database, {
  roles: ['enqueue'],
  overrides: [{ provide: JobRepository, useClass: plantedRepository(plant) }],
});
const queue = application.get(JobQueue);
const dataSource = application.get(DataSource);
const stopped = new AbortController();
process.on('message', ({ kind }) => kind === 'stop' && stopped.abort());
process.send({ kind: 'ready' });

const underWay = new Set();
for (let round = 0; !stopped.signal.aborted; round++) {
  const way = random.pick(WAYS);
  // What was not committed may fail for any reason, and the checker knows that it may be missing.
  const work = produce(way, `${name}-${round}`).catch(() => undefined);
  underWay.add(work);
  void work.finally(() => underWay.delete(work));
  await sleep(PAUSE);
}
await Promise.race([Promise.all(underWay), sleep(20_000)]);
process.exit(0);

function produce(way, token) {
  const ways = { bought: buy, rolledback: rollBack, plain: enqueue, keyed: enqueueKeyed, crossed: buyCrossed };
  return ways[way](token);
}

/** A purchase with its jobs: all of them or nothing. */
async function buy(token) {
  const jobs = draw(token, random.between(1, 2));
  journal.begin(token, 'bought', jobs.length);
  journal.committed(token, await inTransaction((manager) => write(manager, token, jobs)));
}

async function rollBack(token) {
  const jobs = draw(token, random.between(1, 2));
  journal.begin(token, 'rolledback', jobs.length);
  await inTransaction(async (manager) => {
    await write(manager, token, jobs);
    throw new Error('Rolled back on purpose.');
  });
}

async function enqueue(token) {
  const [{ type, payload, reference }] = draw(token, 1);
  journal.begin(token, 'plain', 1);
  journal.committed(token, [await queue.enqueue(type, payload, { reference })]);
}

/** Both producers come to the same keys: only one of them may get each. */
async function enqueueKeyed(token) {
  const [{ payload, reference }] = draw(token, 1);
  journal.begin(token, 'keyed', 1);
  const key = `key-${Math.floor(Date.now() / 500)}`;
  journal.committed(token, [await queue.enqueue('plain', { ...payload, continues: 0 }, { reference, key })]);
}

/** Two transactions that want two keys in opposite order: the server rolls one of them back in the middle of an enqueue. */
async function buyCrossed(token) {
  await Promise.allSettled([
    buyKeyed(`${token}-there`, [`${token}-a`, `${token}-b`]),
    buyKeyed(`${token}-back`, [`${token}-b`, `${token}-a`]),
  ]);
}

async function buyKeyed(token, [first, second]) {
  journal.begin(token, 'crossed', 2);
  const payload = (part) => ({ token: `${token}-${part}`, ms: 5 });
  const enqueued = await inTransaction(async (manager) => {
    await manager.query(`INSERT INTO purchase (token) VALUES ('${token}')`);
    const one = await queue.enqueue('plain', payload(0), { manager, key: first, reference: `${token}-0` });
    await sleep(30);
    const more = [
      { payload: payload(1), key: second, reference: `${token}-1` },
      { payload: payload(2), reference: `${token}-2` },
    ];
    return [one, ...(await queue.enqueueMany('plain', more, { manager }))];
  });
  journal.committed(token, enqueued);
}

function draw(token, count) {
  return Array.from({ length: count }, (_, index) => drawJob(random, `${token}-${index}`, dialect));
}

async function write(manager, token, jobs) {
  await manager.query(`INSERT INTO purchase (token) VALUES ('${token}')`);
  const enqueued = [];
  for (const { type, payload, reference } of jobs) {
    enqueued.push(await queue.enqueue(type, payload, { manager, reference }));
  }
  return enqueued;
}

/** TypeORM's own transactions overlap on SQLite's one connection. */
function inTransaction(work) {
  return dialect === 'sqlite' || random.chance(0.5) ? queue.transaction(work) : dataSource.transaction(work);
}
