// A process of its own that knows nothing of the library: SQL, straight to the server. Answers what it has found as JSON.
import { checkAttempts } from './checks/attempts.mjs';
import { checkEffects, checkFences, checkSteps } from './checks/effects.mjs';
import { checkEnqueues } from './checks/enqueues.mjs';
import { readFacts } from './checks/facts.mjs';
import { checkNodes } from './checks/nodes.mjs';
import { connect } from './databases/connect.mjs';

const CHECKS = [checkEnqueues, checkEffects, checkSteps, checkFences, checkAttempts, checkNodes];

const { direct, folder } = JSON.parse(process.argv[2]);
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
  };
}

function countBy(rows, column) {
  const counts = {};
  for (const { [column]: value } of rows) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
