import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const NUMBERS = [
  'id',
  'job_id',
  'fence',
  'retries',
  'crashes',
  'attempt',
  'started_at',
  'ended_at',
  'expires_at',
  'at',
  'process',
];

/** All that is known about a run after its end: what the database says, what producers intended and were told, and what the nemesis did. */
export async function readFacts(connection, { dialect, folder }) {
  const select = async (sql) => (await connection.query(sql)).map(withNumbers);
  const jobs = await select(
    'SELECT id, type, state, fence, retries, crashes, reference, job_key, payload, result FROM pq_job ORDER BY id',
  );
  const attempts = await select(
    'SELECT job_id, fence, attempt, node, started_at, ended_at, outcome, reason FROM pq_attempt ORDER BY job_id, fence',
  );
  const ledger = await select('SELECT way, effect, job_id, fence, token, process, at FROM ledger ORDER BY id');
  const purchases = await select('SELECT token FROM purchase ORDER BY id');
  const nodes = await select('SELECT id, name, state, expires_at FROM pq_node');
  return {
    dialect,
    jobs,
    attempts,
    ledger,
    purchases,
    nodes,
    intents: readIntents(folder),
    faults: readLines(folder, 'nemesis'),
    attemptsOf: grouped(attempts, 'job_id'),
    effectsOf: grouped(ledger, 'job_id'),
  };
}

/** PostgreSQL answers BIGINT as text. */
function withNumbers(row) {
  const numbers = NUMBERS.filter((column) => row[column] !== undefined && row[column] !== null);
  return { ...row, ...Object.fromEntries(numbers.map((column) => [column, Number(row[column])])) };
}

/** Answers the rows with a value, none for one that nobody has. */
function grouped(rows, column) {
  const groups = new Map();
  for (const row of rows) {
    if (!groups.has(row[column])) groups.set(row[column], []);
    groups.get(row[column]).push(row);
  }
  return (value) => groups.get(value) ?? [];
}

/** Token → `{ token, way, jobs, committed }`; `committed` is undefined where the producer was not told so. */
function readIntents(folder) {
  const intents = new Map();
  for (const entry of readLines(folder, 'producer'))
    intents.set(entry.token, { ...intents.get(entry.token), ...entry });
  return [...intents.values()];
}

/** What was written down outside of the database, by everybody whose name begins so. */
function readLines(folder, writer) {
  const files = readdirSync(folder).filter((name) => name.startsWith(writer) && name.endsWith('.jsonl'));
  const lines = files.flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n').slice(0, -1));
  return lines.map((line) => JSON.parse(line));
}
