import { SYSTEMS } from '../systems/index.mjs';
import { perSecond, spread } from './statistics.mjs';

/** One line for each system on each server, one column for each variant: median (lowest–highest) of the rounds. */
export function rateTable(results, { measure, variants, figure, format = perSecond }) {
  return {
    rows: results.systems(measure).map(({ system, database }) => ({
      ...nameOf({ system, database }),
      ...Object.fromEntries(
        variants.map((variant) => {
          const rounds = results.rounds({ measure, variant, system, database, figure });
          return [variant, rounds.length === 0 ? '' : spread(rounds, format)];
        }),
      ),
    })),
  };
}

export function nameOf({ system, database }) {
  return { system: SYSTEMS[system].title, on: database };
}

export function markdownTable(rows) {
  if (rows.length === 0) return 'Nothing was measured.';
  const heads = Object.keys(rows[0]);
  return [line(heads), line(heads.map(() => '---')), ...rows.map((row) => line(Object.values(row)))].join('\n');
}

function line(cells) {
  return `| ${cells.join(' | ')} |`;
}
