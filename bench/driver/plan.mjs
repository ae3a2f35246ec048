import { SYSTEMS } from '../systems/index.mjs';
import { nodeFor } from './node-for.mjs';

/** The cells of one measure on the servers that are there: in the order in which a round takes them. */
export function plan({ measure, cells, databases, sizes }) {
  const possible = cells.filter(({ beside }) => beside === undefined || databases.includes(beside));
  return possible.filter(isAmong(sizes.variants)).flatMap(({ rounds: wanted = Infinity, ...cell }) =>
    SYSTEMS[cell.system].on
      .filter((database) => databases.includes(database) && (cell.database ?? database) === database)
      .map((database) => ({ measure, ...cell, database, rounds: Math.min(sizes.rounds, wanted) }))
      .filter(({ system }) => nodeFor(SYSTEMS[system].needs) !== undefined),
  );
}

/** The first so many variants of each system. */
function isAmong(variants) {
  const seen = new Map();
  return ({ system }) => {
    seen.set(system, (seen.get(system) ?? 0) + 1);
    return seen.get(system) <= variants;
  };
}
