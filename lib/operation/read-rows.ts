import { LONGEST_NAME, nameFault } from '../job/job-type.js';
import type { OperationJob } from '../job/operation.js';
import { describeShape, describeValue } from '../errors/describe-value.js';

export interface LoadedRows {
  /** Each id once. */
  readonly rows: ReadonlyMap<string, OperationJob>;
  /** What is wrong with the others. */
  readonly faults: readonly string[];
}

/** What `loadJobs()` has answered: written by users, so that it may be anything. */
export function readRows(answer: unknown): LoadedRows {
  if (!Array.isArray(answer))
    throw new TypeError(`loadJobs() answered ${describeShape(answer)}. Answer an array of rows.`);
  const rows = new Map<string, OperationJob>();
  const faults: string[] = [];
  for (const row of answer as readonly unknown[]) {
    const fault =
      faultOf(row) ?? (rows.has(idOf(row)) ? `two rows with the id ${describeValue(idOf(row))}` : undefined);
    if (fault === undefined) rows.set(idOf(row), row as OperationJob);
    else faults.push(fault);
  }
  return { rows, faults };
}

function idOf(row: unknown): string {
  return String((row as OperationJob).id);
}

function faultOf(row: unknown): string | undefined {
  if (typeof row !== 'object' || row === null) return `a row that is ${describeShape(row)}, not an object`;
  const { id, dueAt } = row as { id?: unknown; dueAt?: unknown };
  const fault = idFault(id);
  if (fault !== undefined) return `a row with the id ${describeValue(id)} (${fault})`;
  if (dueAt === undefined || (dueAt instanceof Date && !Number.isNaN(dueAt.getTime()))) return undefined;
  return `a row whose dueAt is ${describeValue(dueAt)}, not a valid Date`;
}

function idFault(id: unknown): string | undefined {
  if (typeof id === 'bigint' || (typeof id === 'number' && Number.isSafeInteger(id))) return undefined;
  return typeof id === 'string' ? nameFault(id, LONGEST_NAME) : 'Give a string, a bigint or an integer.';
}
