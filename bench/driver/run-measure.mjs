import { runCell } from './run-cell.mjs';

/** Round after round, each cell once in each: A B C A B C. A neighbour who is busy for a while is then unfair to all. */
export async function runMeasure({ cells, databases, sizes, results, progress }) {
  const stores = new Map();
  const rounds = Math.max(0, ...cells.map((cell) => cell.rounds));
  try {
    for (let round = 0; round < rounds; round++) {
      for (const cell of cells.filter((each) => round < each.rounds)) {
        progress.at(cell);
        await attempt(cell, { database: databases.get(cell.database), sizes, round }, { stores, results });
        progress.done();
      }
    }
  } finally {
    for (const store of stores.values()) await store.drop();
  }
}

/** A failure is not the end: the report names it, and the others are measured. */
async function attempt(cell, at, { stores, results }) {
  try {
    const store = cell.keepsStore ? await kept(stores, cell, at) : undefined;
    results.add(cell, await runCell(cell, { ...at, store }));
  } catch (error) {
    results.fail(cell, error);
  }
}

/** What took long to fill is filled in the first round only. */
async function kept(stores, cell, { database }) {
  if (!stores.has(cell)) stores.set(cell, await database.create());
  return stores.get(cell);
}
