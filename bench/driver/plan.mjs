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

/** The first so many variants of each system, on each database if they name it. */
function isAmong(variants) {
  const seen = new Map();
  return ({ system, database }) => {
    const name = `${system} ${database}`;
    seen.set(name, (seen.get(name) ?? 0) + 1);
    return seen.get(name) <= variants;
  };
}
