// The benchmarks: npm run bench. Every figure comes from a process of its own, see driver/.
import { constants } from 'node:os';
import { openDatabase } from './databases/index.mjs';
import { readArguments } from './driver/arguments.mjs';
import { plan } from './driver/plan.mjs';
import { Progress } from './driver/progress.mjs';
import { runMeasure } from './driver/run-measure.mjs';
import { MEASURES } from './measures/index.mjs';
import { compose } from './report/compose.mjs';
import { Results } from './report/results.mjs';
import { save } from './report/save.mjs';

const { only, db, quick, sizes } = readArguments();
// Exit handlers remove the servers and folders.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.once(signal, () => process.exit(128 + constants.signals[signal]));

const databases = new Map();
const results = new Results();
const began = new Date();
try {
  for (const name of db) {
    const database = await openDatabase(name);
    if (database === undefined) console.error(`${name} is left out: its server program is not in the PATH.`);
    else databases.set(name, database);
  }
  // Some cells use it beside the database: their processes are children of this one.
  process.env.BENCH_REDIS = JSON.stringify(databases.get('redis')?.address);
  const measures = await Promise.all(only.map(async (name) => ({ name, ...(await MEASURES[name]()) })));
  await measureAll(measures);
  const report = compose({ results, measures, databases, began, quick });
  console.log(report.markdown);
  if (!quick) console.error(`Saved: ${save(report, { began, only, db })}`);
} finally {
  for (const database of databases.values()) await database.stop();
}
process.exitCode = results.failures.length > 0 ? 1 : 0;

async function measureAll(measures) {
  const rooms = measures.map(({ name, cells }) =>
    plan({ measure: name, cells: cells(sizes), databases: [...databases.keys()], sizes }),
  );
  const progress = new Progress(rooms.flat().reduce((sum, { rounds }) => sum + rounds, 0));
  try {
    for (const cells of rooms) await runMeasure({ cells, databases, sizes, results, progress });
  } finally {
    progress.stop();
  }
}
