import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from './databases/connect.mjs';
import { Member } from './member.mjs';
import { Nemesis } from './nemesis.mjs';
import { drawPlan, PRODUCERS } from './plan.mjs';
import { tablesOf } from './tables.mjs';

/** How long the workers may take to finish what is left when all faults are over: retries and lost leases have to pass. */
const DRAIN = 90_000;
/** What a planted bug leaves behind may never end, and has been seen by then. */
const DRAIN_PLANTED = 20_000;
const STOP = 30_000;

/** Tables → workers and producers → the nemesis → producers stop → workers drain and stop → the checker. */
export async function runChaos({ database, folder, seed, minutes, lease, plant, calm, workers = database.workers }) {
  await createTables(database);
  const members = membersOf({ database, folder, seed, lease, plant, workers });
  const destroy = () => members.forEach((member) => member.destroy());
  process.on('exit', destroy);
  try {
    await Promise.all([...members.values()].map((member) => member.start()));
    const plan = drawPlan({ seed, minutes, lease, calm, workers, dialect: database.dialect });
    const times = [Date.now(), Date.now() + calm];
    const nemesis = new Nemesis({ members, database, seed, folder });
    progress(`${plan.length} faults in ${minutes} minutes …`);
    await nemesis.carryOut(plan);
    times.push(Date.now());
    await sleep(calm);
    times.push(Date.now());
    progress('the faults are over: the producers stop …');
    await stopAll(members, 'producer');
    progress('the workers finish what is left …');
    await drain(database, plant === undefined ? DRAIN : DRAIN_PLANTED);
    await stopAll(members, 'worker');
    progress('checking …');
    const found = await check(database, folder, times);
    const deaths = [...members.values()].flatMap((member) => member.deaths);
    if (found.attempts.succeeded === undefined)
      throw new Error(`No job has succeeded: ${deaths.map(({ text }) => text).join(', ')} (${folder})`);
    return { ...found, violations: [...deaths, ...found.violations], faults: nemesis.faults };
  } finally {
    destroy();
    process.off('exit', destroy);
  }
}

function progress(text) {
  console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
}

async function createTables(database) {
  const { createApplication } = await import('./processes/application.mjs');
  const application = await createApplication(database.optionsThrough(database.port), {
    roles: ['enqueue'],
    synchronize: true,
  });
  await application.close();
  const connection = await connect(database.direct);
  for (const sql of tablesOf(database.dialect)) await connection.query(sql);
  await connection.close();
}

function membersOf({ database, folder, seed, lease, plant, workers }) {
  const settings = { dialect: database.dialect, lease, plant, folder };
  const member = (script, index) => {
    const name = `${script}-${index}`;
    const own = { ...settings, seed: seed * 100 + index };
    return [name, new Member({ name, script, index, settings: own, database, folder })];
  };
  return new Map([
    ...Array.from({ length: workers }, (_, index) => member('worker', index)),
    ...Array.from({ length: PRODUCERS }, (_, index) => member('producer', index)),
  ]);
}

async function stopAll(members, script) {
  const chosen = [...members.values()].filter(({ name }) => name.startsWith(script));
  await Promise.all(chosen.map((member) => member.stop(STOP)));
}

/** What has not ended by the deadline is for the checker to find. */
async function drain(database, patience) {
  const connection = await connect(database.direct);
  const open = "SELECT COUNT(*) AS open FROM pq_job WHERE state NOT IN ('succeeded', 'failed')";
  const deadline = Date.now() + patience;
  while (Number((await connection.query(open))[0].open) > 0 && Date.now() < deadline) await sleep(250);
  await connection.close();
}

/** `times`: when the faults were still to come, began, were over, and when the producers stopped. */
async function check({ direct }, folder, times) {
  const checker = fileURLToPath(new URL('./checker.mjs', import.meta.url));
  const settings = JSON.stringify({ direct, folder, times });
  const { stdout } = await promisify(execFile)(process.execPath, [checker, settings], { maxBuffer: 2 ** 28 });
  return JSON.parse(stdout);
}
