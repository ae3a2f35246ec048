import { AssertionError } from 'node:assert';
import { inspect } from 'node:util';
import type { EnqueuedTestJob } from './enqueued-job.js';
import { comparable, matches, readExpected, type ExpectedJob } from './expected-job.js';

const MOST_LISTED = 20;
const LONGEST_PAYLOAD = 200;

/** The method that the test has called: the stack of the error begins with the test. */
type Call = (...args: never[]) => unknown;

/** Answers the jobs that match; throws an error that shows what there was instead. */
export function expectJobs(
  jobs: readonly EnqueuedTestJob[],
  type: string,
  given: ExpectedJob,
  call: Call,
): EnqueuedTestJob[] {
  const expected = readExpected('expectEnqueued()', given);
  const ofType = jobs.filter((job) => job.type === type);
  const found = ofType.filter((job) => matches(job, expected));
  const { times } = given;
  if (times === undefined ? found.length > 0 : found.length === times) return found;
  const head =
    times === undefined
      ? `Expected a job of '${type}' to have been enqueued${suffix(expected)}`
      : `Expected ${count(times)} of '${type}' to have been enqueued${suffix(expected)}, and there ${found.length === 1 ? 'is' : 'are'} ${found.length}`;
  const nearest = found.length > 0 ? undefined : nearestOf(ofType, expected);
  throw failure([head, ...(nearest === undefined ? [] : difference(nearest, expected)), listOf(jobs)], call);
}

export function expectNoJobs(jobs: readonly EnqueuedTestJob[], type: string, given: ExpectedJob, call: Call): void {
  const expected = readExpected('expectNotEnqueued()', given);
  const found = jobs.filter((job) => job.type === type && matches(job, expected));
  if (found.length === 0) return;
  throw failure(
    [
      `Expected no job of '${type}' to have been enqueued${suffix(expected)}, and there ${found.length === 1 ? 'is' : 'are'}`,
      listOf(found),
    ],
    call,
  );
}

/** The one that has most of what is expected. */
function nearestOf(jobs: readonly EnqueuedTestJob[], expected: Record<string, unknown>): EnqueuedTestJob | undefined {
  const score = (job: EnqueuedTestJob) =>
    Object.entries(expected).filter(([key, value]) => matches(job, { [key]: value })).length;
  return [...jobs].sort((a, b) => score(b) - score(a))[0];
}

function difference(job: EnqueuedTestJob, expected: Record<string, unknown>): string[] {
  const actual = comparable(job, expected);
  const { message } = new AssertionError({ actual, expected, operator: 'deepStrictEqual' });
  // The first line says only that the two are not equal.
  const diff = message.slice(message.indexOf('\n') + 1).trim();
  return [`Job ${job.id} comes nearest to it:\n\n${diff}`];
}

function listOf(jobs: readonly EnqueuedTestJob[]): string {
  if (jobs.length === 0) return 'No job was enqueued at all.';
  const more = jobs.length - MOST_LISTED;
  const lines = jobs.slice(0, MOST_LISTED).map(describe);
  return [`Enqueued:`, ...lines, ...(more > 0 ? [`  … and ${more} more`] : [])].join('\n');
}

function describe({ id, type, state, delay, payload }: EnqueuedTestJob): string {
  const text = print(payload);
  const short = text.length > LONGEST_PAYLOAD ? `${text.slice(0, LONGEST_PAYLOAD)}…` : text;
  return `  ${id}  ${type}  ${short}  ${state}${delay > 0 ? `, after ${delay} ms` : ''}`;
}

function suffix(expected: Record<string, unknown>): string {
  return Object.keys(expected).length === 0 ? '' : ` with ${print(expected)}`;
}

function count(times: number): string {
  return times === 1 ? '1 job' : `${times} jobs`;
}

function print(value: unknown): string {
  return inspect(value, { depth: 6, breakLength: Infinity, compact: true });
}

/** Test frameworks print the message of such an error. Without values of its own, they do not make a second difference of it. */
function failure(parts: readonly string[], stackStartFn: Call): AssertionError {
  return new AssertionError({ message: parts.join('\n\n'), operator: 'fail', stackStartFn });
}
