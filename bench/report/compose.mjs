import { cpus, loadavg } from 'node:os';
import { barChart } from './bar-chart.mjs';
import { CHARTS } from './charts.mjs';
import { targetRows } from './targets.mjs';
import { markdownTable } from './tables.mjs';

/** The report as Markdown, its charts as SVG by name, and the figures. */
export function compose({ results, measures, databases, began, quick }) {
  const lines = [
    `# Benchmark of ${began.toISOString().slice(0, 10)}${quick ? ' (--quick: shows that it works, not how fast)' : ''}`,
    '',
    `${[...databases.values()].map(({ title }) => title).join(', ')}. Node ${process.version}, ${cpus().length} cores, ${minutesSince(began)} minutes. ` +
      `Load average at the end: ${loadavg()[0].toFixed(1)}.`,
  ];
  const targets = targetRows(results);
  if (targets.length > 0) lines.push('', '## Targets', '', markdownTable(targets));
  for (const { tables } of measures) {
    for (const { title, rows, note } of tables(results)) {
      lines.push('', `## ${title}`, '', markdownTable(rows));
      if (note !== undefined) lines.push('', note);
    }
  }
  if (results.failures.length > 0) lines.push('', '## Failed', '', ...results.failures.map((text) => `- ${text}`));
  const charts = CHARTS.map(({ name, title, bars }) => ({ name, title, bars: bars(results) }))
    .filter(({ bars }) => bars.length > 0)
    .map(({ name, ...chart }) => ({ name, svg: barChart(chart) }));
  return { markdown: lines.join('\n'), charts, figures: results };
}

function minutesSince(date) {
  return ((Date.now() - date.getTime()) / 60_000).toFixed(1);
}
