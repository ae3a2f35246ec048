import type { Row } from '../statement.js';

/** The parts of each index, in their order. */
export function partsByName(rows: readonly Row[]): [name: string, parts: Row[]][] {
  const names = new Set(rows.map(({ name }) => String(name)));
  const ordered = rows.toSorted((a, b) => Number(a['place']) - Number(b['place']));
  return [...names].map((name) => [name, ordered.filter((row) => row['name'] === name)]);
}
