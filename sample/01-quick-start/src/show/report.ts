import Table from 'cli-table3';
import type { Figures } from './database.js';

interface Expectations {
  /** Orders in the file whose card is accepted. */
  readonly accepted: number;
  /** Whether a worker was killed. */
  readonly killed: boolean;
}

type Row = readonly [name: string, counted: number, expected: number | 'at least 1'];

/** Prints the figures, and answers whether they are all right. */
export function report(figures: Figures, { accepted, killed }: Expectations): boolean {
  const rows: Row[] = [
    ['orders committed', figures.committed, accepted],
    ['jobs enqueued', figures.enqueued, accepted],
    ['jobs without an order', figures.withoutOrder, 0],
    ['succeeded', figures.succeeded, accepted],
    ['retried', figures.retried, figures.retriesDue],
    ['recovered', figures.recovered, killed ? 'at least 1' : 0],
    ['lost', figures.lost, 0],
    ['done twice', figures.doneTwice, 0],
  ];
  const table = new Table({
    head: ['', 'in the database', 'expected'],
    colAligns: ['left', 'right', 'right'],
    style: { head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  console.log(table.toString());
  const wrong = rows.filter((row) => !isRight(row)).map(([name]) => name);
  console.log(wrong.length === 0 ? 'Every figure is right.' : `Wrong: ${wrong.join(', ')}.`);
  return wrong.length === 0;
}

function isRight([, counted, expected]: Row): boolean {
  return expected === 'at least 1' ? counted >= 1 : counted === expected;
}
