import { oneLine } from '../support/one-line.js';
import type { LogFields } from './log-entry.js';
import type { JobFacts, QueueEvent } from './queue-event.js';

/** `'name'`: what an error says may hold what was in a payload, and stays in the history alone. */
export type LoggedErrors = 'message' | 'name';

/** An error's message may be megabytes; the history keeps more of it. */
const LONGEST_TEXT = 300;
const MOST_ITEMS = 20;

const KIND = ['jobType', 'operation', 'schedule', 'lock', 'during', 'reason', 'state', 'errorName'] as const;

/** `00-<trace id>-<span id>-<flags>` of W3C. */
const TRACE_PARENT = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/;

export interface Origin {
  readonly service?: string;
  readonly node?: string | undefined;
}

/** What may be printed of an event: bounded, each text on one line. */
export function toLoggable(event: QueueEvent, errors: LoggedErrors): QueueEvent {
  const clean = cleaned(event) as QueueEvent;
  const job = 'job' in clean ? { job: { ...clean.job, traceId: traceOf(clean.job.traceId) } } : {};
  const error = errors === 'name' && 'error' in clean ? { error: nameOf(clean) } : {};
  return { ...clean, ...job, ...error };
}

/** What a log is searched for: flat. `origin`: of the process. */
export function fieldsOf(event: QueueEvent, errors: LoggedErrors, origin: Origin): LogFields {
  const { name, job, error, ...own } = event as { name: string; job?: object; error?: string };
  const { id: jobId, type: jobType, ...more } = { ...job } as { id?: string; type?: string };
  const errorMessage = errors === 'message' ? error : undefined;
  return present({ event: name, ...origin, jobId, jobType, ...more, ...own, errorMessage });
}

/** Events of one kind are alike in these: the log needs only a few of them. */
export function kindOf(event: QueueEvent): LogFields {
  const values = valuesOf(event);
  return present({ event: event.name, ...Object.fromEntries(KIND.map((key, index) => [key, values[index]])) });
}

/** The same, for ten thousand a second. */
export function kindKeyOf(event: QueueEvent): string {
  return JSON.stringify([event.name, valuesOf(event)]);
}

function valuesOf(event: QueueEvent): unknown[] {
  const { job, ...own } = event as { job?: JobFacts } & Record<string, unknown>;
  return KIND.map((key) => (key === 'jobType' ? job?.type : own[key]));
}

function present(fields: Record<string, unknown>): LogFields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as LogFields;
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return oneLine(value, LONGEST_TEXT);
  if (value instanceof Date) return value;
  if (Array.isArray(value)) return value.slice(0, MOST_ITEMS).map(cleaned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cleaned(inner)]));
}

function traceOf(traceId: string | undefined): string | undefined {
  return traceId === undefined ? undefined : (TRACE_PARENT.exec(traceId)?.[1] ?? traceId);
}

function nameOf(event: QueueEvent): string {
  return ('errorName' in event ? event.errorName : undefined) ?? '(message left out)';
}
