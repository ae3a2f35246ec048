import { fileURLToPath } from 'node:url';
import { SYSTEMS } from '../systems/index.mjs';
import { Child } from './child.mjs';
import { nodeFor } from './node-for.mjs';

const CELL = fileURLToPath(new URL('../cell.mjs', import.meta.url));
const PATIENCE = 180_000;

/** One round of a cell in a process of its own, on a store of its own unless it is given one. Answers the figures. */
export async function runCell(cell, { database, sizes, round, store }) {
  const used = store ?? (await database.create());
  const child = new Child(CELL, { node: nodeFor(SYSTEMS[cell.system].needs) });
  try {
    child.send({ ...cell, address: used.address, sizes, round });
    return (await child.next('figures', PATIENCE)).figures;
  } finally {
    await child.end();
    if (store === undefined) await used.drop();
  }
}
