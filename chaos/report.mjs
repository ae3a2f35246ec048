const MOST_LINES = 40;

/** For people; the last line is for scripts too. */
export function report(
  { faults, jobs, attempts, enqueues, effects, nodes, throughput, violations },
  { name, seed, minutes, plant, expect, isRight, folder },
) {
  console.log(`\n## ${name}, seed ${seed}, ${minutes} minutes${plant === undefined ? '' : `, planted: ${plant}`}\n`);
  console.log(table('fault', [...faults]));
  for (const [title, counts] of Object.entries({ enqueues, jobs, attempts, nodes }))
    console.log(`${title}: ${list(counts)}`);
  console.log(`effects in the ledger: ${effects}`);
  const rates = throughput.map(([phase, rate]) => `${rate.toFixed(1)} ${phase}`);
  console.log(`jobs per second, by the faults: ${rates.join(', ')}`);
  for (const { kind, text } of violations.slice(0, MOST_LINES)) console.log(`- ${kind}: ${text}`);
  if (violations.length > MOST_LINES) console.log(`- … and ${violations.length - MOST_LINES} more`);
  if (!isRight) console.log(`The logs of the processes: ${folder}`);
  console.log(`violations: ${list(countKinds(violations))}`);
  if (expect !== undefined) console.log(`${expect}, as expected: ${isRight ? 'found' : 'NOT FOUND'}`);
}

function countKinds(violations) {
  const counts = {};
  for (const { kind } of violations) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

function table(head, rows) {
  const width = Math.max(head.length, ...rows.map(([kind]) => kind.length));
  const line = (kind, count) => `| ${kind.padEnd(width)} | ${String(count).padStart(5)} |`;
  return [line(head, 'times'), `| ${'-'.repeat(width)} | ----: |`, ...rows.map((row) => line(...row)), ''].join('\n');
}

function list(counts) {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const parts = Object.entries(counts).map(([kind, count]) => `${count} ${kind}`);
  return parts.length === 0 ? '0' : `${total} (${parts.join(', ')})`;
}
