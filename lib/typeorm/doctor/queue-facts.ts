import type { QueueTables } from '../queue-tables.js';
import { selectPauses } from '../statements/inspect-nodes.js';
import { statement, type Row, type Script } from '../statement.js';

export interface NodeFacts {
  readonly id: string;
  readonly name: string;
  readonly state: 'alive' | 'dead' | 'stopped';
  /** Milliseconds since its lease ran out, by the database's clock; negative until then. */
  readonly expiredFor: number;
  /** Milliseconds since it registered. */
  readonly age: number;
  /** Of its clock against the database's when it registered. */
  readonly clockSkew: number;
  readonly jobs: number;
}

/** The nodes of the service, and those that have jobs and are forgotten. */
export function* readNodes({ dialect, names, service }: QueueTables): Script<NodeFacts[]> {
  const nodes = yield statement(
    `SELECT id, name, state, ${dialect.now} - expires_at AS expired_for, ${dialect.now} - registered_at AS age, clock_skew ` +
      `FROM ${names.node} WHERE service = ?`,
    [service],
  );
  const held = yield statement(
    `SELECT node_id, COUNT(*) AS jobs FROM ${names.job}${dialect.forceIndex(`${names.job}_claim`)} ` +
      "WHERE service = ? AND state = 'running' GROUP BY node_id",
    [service],
  );
  const jobs = new Map(held.rows.map((row) => [String(row['node_id']), Number(row['jobs'])]));
  const known = nodes.rows.map((row) => readNode(row, jobs.get(String(row['id'])) ?? 0));
  const forgotten = [...jobs].filter(([id]) => !known.some((node) => node.id === id));
  return [...known, ...forgotten.map(([id, count]) => forgottenNode(id, count))];
}

function readNode(row: Row, jobs: number): NodeFacts {
  return {
    id: String(row['id']),
    name: `${String(row['name'])}#${String(row['id'])}`,
    state: row['state'] as NodeFacts['state'],
    expiredFor: Number(row['expired_for']),
    age: Number(row['age']),
    clockSkew: Number(row['clock_skew']),
    jobs,
  };
}

function forgottenNode(id: string, jobs: number): NodeFacts {
  return { id, name: `#${id}`, state: 'dead', expiredFor: Infinity, age: Infinity, clockSkew: 0, jobs };
}

/** Living nodes of all services that share the tables. */
export function* countNodes({ dialect, names }: QueueTables): Script<number> {
  const { rows } = yield statement(
    `SELECT COUNT(*) AS nodes FROM ${names.node} WHERE state = 'alive' AND expires_at > ${dialect.now}`,
  );
  return Number(rows[0]?.['nodes']);
}

export function* readPauses(tables: QueueTables): Script<ReadonlySet<string>> {
  const { rows } = yield selectPauses(tables);
  return new Set(rows.map(({ type }) => String(type)));
}

/** Milliseconds since the first of the jobs that wait for their time should have been made ready; negative: in the future. */
export function* readUnpromoted({ dialect, names, service }: QueueTables): Script<number> {
  const { rows } = yield statement(
    `SELECT ${dialect.now} - due AS overdue FROM ${names.job}${dialect.forceIndex(`${names.job}_due`)} ` +
      "WHERE service = ? AND state = 'scheduled' ORDER BY due LIMIT 1",
    [service],
  );
  return rows[0] === undefined ? -Infinity : Number(rows[0]['overdue']);
}

export interface EndFacts {
  readonly succeeded: number;
  readonly failed: number;
}

/** Of the latest attempts that ended within so many milliseconds, at most `most`. */
export function* countEnds({ dialect, names, service }: QueueTables, within: number, most: number): Script<EndFacts> {
  const { rows } = yield statement(
    `SELECT outcome, COUNT(*) AS jobs FROM (SELECT outcome FROM ${names.attempt}${dialect.forceIndex(`${names.attempt}_end`)} ` +
      `WHERE service = ? AND ended_at > ${dialect.now} - ? ORDER BY ended_at DESC LIMIT ?) latest GROUP BY outcome`,
    [service, within, most],
  );
  const count = (outcome: string) => Number(rows.find((row) => row['outcome'] === outcome)?.['jobs'] ?? 0);
  return { succeeded: count('succeeded'), failed: count('failed') };
}

export interface ScheduleFacts {
  readonly name: string;
  readonly broken: string | undefined;
  /** Milliseconds since it should have fired; negative: in the future, or it has no plan. */
  readonly overdue: number;
}

/** Those that are enabled. */
export function* readScheduleFacts({ dialect, names, service }: QueueTables): Script<ScheduleFacts[]> {
  const { rows } = yield statement(
    `SELECT name, broken, CASE WHEN next_fire > 0 THEN ${dialect.now} - next_fire ELSE -1 END AS overdue ` +
      `FROM ${names.schedule} WHERE service = ? AND enabled = 1`,
    [service],
  );
  return rows.map((row) => ({
    name: String(row['name']),
    broken: typeof row['broken'] === 'string' ? row['broken'] : undefined,
    overdue: Number(row['overdue']),
  }));
}
