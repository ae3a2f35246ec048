// A process of its own that knows nothing of the library: SQL, straight to the server. Answers what it has found as JSON.
import { checkAttempts } from './checks/attempts.mjs';
import { checkEffects, checkFences, checkSteps } from './checks/effects.mjs';
import { checkEnqueues } from './checks/enqueues.mjs';
import { readFacts } from './checks/facts.mjs';
import { checkNodes } from './checks/nodes.mjs';
import { connect } from './databases/connect.mjs';

const PHASES = ['before', 'during', 'after'];
const CHECKS = [checkEnqueues, checkEffects, checkSteps, checkFences, checkAttempts, checkNodes];

const { direct, folder, times } = JSON.parse(process.argv[2]);
const connection = await connect(direct);
const facts = await readFacts(connection, { dialect: direct.dialect, folder });
await connection.close();

const violations = CHECKS.flatMap((check) => [...check(facts)]);
console.log(JSON.stringify({ violations, ...count(facts) }));

function count({ jobs, attempts, ledger, intents, nodes }) {
  return {
    jobs: countBy(jobs, 'state'),
    attempts: countBy(attempts, 'outcome'),
    enqueues: countBy(intents, 'way'),
    effects: ledger.length,
    nodes: countBy(nodes, 'state'),
    throughput: PHASES.map((phase, index) => [phase, rateOf(attempts, times[index], times[index + 1])]),
  };
}

/** Jobs per second that succeeded in this time, by the database's clock, which is that of this machine. */
function rateOf(attempts, from, to) {
  const ended = attempts.filter(
    ({ outcome, ended_at: at }) => outcome === 'succeeded' && Number(at) >= from && Number(at) < to,
  );
  return (ended.length * 1_000) / (to - from);
}

function countBy(rows, column) {
  const counts = {};
  for (const { [column]: value } of rows) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
