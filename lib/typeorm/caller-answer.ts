import { InvalidJobError } from '../errors/invalid-job.error.js';
import type { Row } from './statement.js';

export interface Answer {
  readonly rows: readonly Row[];
  readonly affected: number;
  /** `undefined` when the answer does not tell. */
  readonly insertId: number | undefined;
}

/** Reads what any driver answers: rows, `[rows, fields]`, `[header, fields]`, `{ rows, rowCount }` or a header alone. */
export function readAnswer(answer: unknown): Answer {
  const result = isPair(answer) ? answer[0] : answer;
  const rows = Array.isArray(result) ? result : read(result, 'rows');
  const insertId = Number(read(result, 'insertId') ?? 0);
  return {
    rows: Array.isArray(rows) ? rows.map(readRow) : [],
    affected: Number(read(result, 'affectedRows') ?? read(result, 'rowCount') ?? 0),
    insertId: insertId > 0 ? insertId : undefined,
  };
}

/** Two rows are objects both: what comes before the fields is a list of rows or a header. */
function isPair(answer: unknown): answer is [result: unknown, fields: unknown] {
  if (!Array.isArray(answer) || answer.length !== 2) return false;
  return Array.isArray(answer[0]) || read(answer[0], 'affectedRows') !== undefined;
}

function readRow(row: unknown): Row {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    throw new InvalidJobError('manager', row, 'Its query() must answer rows as objects, such as { id: 1 }.');
  }
  const texts = Object.entries(row).filter(([, value]) => Buffer.isBuffer(value));
  return { ...row, ...Object.fromEntries(texts.map(([name, value]) => [name, String(value)])) };
}

function read(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
