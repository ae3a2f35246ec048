import 'reflect-metadata';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { DATABASES, openDatabase } from './databases/index.mjs';
import { Report } from './support/report.mjs';
import { FULL, QUICK } from './support/sizes.mjs';

const SCENARIOS = ['drain', 'latency', 'idle', 'backlog', 'retention', 'retry'];
const USAGE = `node bench/run.mjs [--only ${SCENARIOS.join('|')}] [--db ${DATABASES.join('|')}] [--quick] [--save]`;

const { only, db, quick, save } = readArguments();
// Exit handlers remove the servers and folders.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.once(signal, () => process.exit(128 + constants.signals[signal]));

const report = new Report({ quick });
for (const name of db) await measure(name);
report.end();
if (save) console.error(`Saved: ${report.save()}`);

async function measure(name) {
  const database = await openDatabase(name);
  if (database === undefined)
    return report.print(`\n**${name} was left out: its server programs are not in the PATH.**`);
  try {
    report.print(`\n## ${database.title}`);
    for (const scenario of only) {
      console.error(`${name}: ${scenario} …`);
      const { default: run } = await import(`./scenarios/${scenario}.mjs`);
      report.table(await run(database, quick ? QUICK : FULL));
    }
  } finally {
    await database.stop();
  }
}

function readArguments() {
  const list = { type: 'string', multiple: true };
  const flag = { type: 'boolean', default: false };
  try {
    const { values } = parseArgs({ options: { only: list, db: list, quick: flag, save: flag } });
    refuseUnknown('--only', values.only, SCENARIOS);
    refuseUnknown('--db', values.db, DATABASES);
    if (!existsSync(new URL('../dist/index.js', import.meta.url))) throw new Error('There is no dist/: npm run build');
    return { ...values, only: values.only ?? SCENARIOS, db: values.db ?? DATABASES };
  } catch (error) {
    console.error(`${error.message}\nUsage: ${USAGE}`);
    process.exit(2);
  }
}

function refuseUnknown(option, given = [], known) {
  const unknown = given.find((value) => !known.includes(value));
  if (unknown !== undefined) throw new Error(`${option} ${unknown} is none of ${known.join(', ')}.`);
}
