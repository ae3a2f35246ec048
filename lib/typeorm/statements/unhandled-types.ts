import type { QueueTables } from '../queue-tables.js';
import { parseJson } from '../row.js';
import { statement, type Parameter, type Script, type Statement } from '../statement.js';
import { byBytes, gapsBetween, type Gap } from './gaps.js';

export interface Bounds {
  readonly types: number;
  /** Statements. */
  readonly looks: number;
}

/** Enough to know that something is wrong; an idle node may ask once a second in all. */
const BOUNDS: Bounds = { types: 20, looks: 9 };
/** SQLite joins at most 500 SELECTs. */
const MOST_GAPS = 200;

/** Types that have waiting jobs and no living node that runs them. */
export function* unhandledTypes(tables: QueueTables): Script<string[]> {
  return yield* unhandledAmong(tables, yield* handledTypes(tables), BOUNDS);
}

/** Types that a living node runs. The last node of a service that was killed stays 'alive': nobody is left to find it. */
export function* handledTypes({ dialect, names, service }: QueueTables): Script<string[]> {
  const nodes = yield statement(
    `SELECT types FROM ${names.node} WHERE service = ? AND state = 'alive' AND expires_at >= ${dialect.now}`,
    [service],
  );
  return nodes.rows.flatMap((row) => parseJson(row['types']) as string[]);
}

/**
 * Types that have waiting jobs and are not among those that are handled. Each look asks every gap between handled types for its first
 * type: one search of the index each, by constants, so that neither rows nor handled types are walked over.
 */
export function* unhandledAmong(tables: QueueTables, handled: readonly string[], most: Bounds): Script<string[]> {
  const unhandled: string[] = [];
  let gaps = gapsBetween(handled);
  for (let look = 0; look < most.looks && gaps.length > 0 && unhandled.length < most.types; look++) {
    const asked = gaps.slice(0, MOST_GAPS);
    const { rows } = yield firstOfEach(tables, asked);
    const found = rows.flatMap(({ gap, type }) => (type === null ? [] : [{ gap: Number(gap), type: type as string }]));
    unhandled.push(...found.map(({ type }) => type));
    const rest = found.map(({ gap, type }) => ({ above: type, below: asked[gap]?.below }));
    // What has not been asked yet comes first: a gap with many types must not hide the others.
    gaps = [...gaps.slice(MOST_GAPS), ...rest];
  }
  return unhandled.sort(byBytes).slice(0, most.types);
}

function firstOfEach({ dialect, names, service }: QueueTables, gaps: readonly Gap[]): Statement {
  const waiting =
    `SELECT type FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} ` +
    "WHERE service = ? AND state = 'waiting' AND type > ?";
  const parts = gaps.map(({ below }, gap) => {
    const upTo = below === undefined ? '' : ' AND type < ?';
    return `SELECT ${gap} AS gap, (${waiting}${upTo} ORDER BY type LIMIT 1) AS type`;
  });
  const parameters = gaps.flatMap(({ above, below }): Parameter[] =>
    below === undefined ? [service, above] : [service, above, below],
  );
  return statement(parts.join(' UNION ALL '), parameters);
}
