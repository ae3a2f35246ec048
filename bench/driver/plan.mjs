import { SYSTEMS } from '../systems/index.mjs';
import { nodeFor } from './node-for.mjs';

/** The cells of one measure on the servers that are there: in the order in which a round takes them. */
export function plan({ measure, cells, databases, rounds }) {
  return cells.flatMap(({ rounds: wanted = 'all', ...cell }) =>
    SYSTEMS[cell.system].on
      .filter((database) => databases.includes(database) && (cell.database ?? database) === database)
      .map((database) => ({ measure, ...cell, database, rounds: wanted === 'one' ? 1 : rounds }))
      .filter(({ system }) => nodeFor(SYSTEMS[system].needs) !== undefined),
  );
}
