import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { USUAL } from '../driver/arguments.mjs';
import { MEASURES } from '../measures/index.mjs';

const RESULTS = new URL('../results/', import.meta.url);

/** Writes the report and its charts, named by the day and by what was chosen. Answers the file. */
export function save({ markdown, charts, figures }, { began, only, db }) {
  const chosen = [...chosenOf(only, Object.keys(MEASURES)), ...chosenOf(db, USUAL)];
  const name = [began.toISOString().slice(0, 10), ...chosen].join('-');
  mkdirSync(RESULTS, { recursive: true });
  const images = charts.map((chart) => `![${chart.name}](${name}-${chart.name}.svg)`);
  for (const chart of charts) writeFileSync(new URL(`${name}-${chart.name}.svg`, RESULTS), chart.svg);
  writeFileSync(new URL(`${name}.json`, RESULTS), `${JSON.stringify(figures)}\n`);
  const file = new URL(`${name}.md`, RESULTS);
  writeFileSync(file, `${[markdown, ...images].join('\n\n')}\n`);
  return fileURLToPath(file);
}

function chosenOf(given, all) {
  return given.length === all.length ? [] : given;
}
