import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * One thing that a schema has found wrong. A path such as `lines[0].price`; of the payload as a whole it is ''.
 *
 * @publicApi
 */
export interface PayloadIssue {
  readonly path: string;
  readonly message: string;
}

/** An issue as schemas tell it, of which nobody knows what they tell. */
interface RawIssue {
  readonly message: unknown;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

const MOST_ISSUES = 20;
const LONGEST_PATH = 200;
const LONGEST_MESSAGE = 800;
/** Of the error's own message: the rest is in `issues`. */
const TOLD = 3;

/**
 * A payload that the schema of its job type refuses. From an enqueue: nothing was written. In the history of a job: its handler was not
 * called, and the job has failed for good. It does not keep the payload, and its message only says where: many schemas quote what they
 * refuse, and messages are logged. What the schema has told is in `issues`.
 *
 * @publicApi
 */
export class InvalidPayloadError extends PersistentQueueError {
  /** The first 20. */
  readonly issues: readonly PayloadIssue[];

  constructor(
    readonly jobType: string,
    issues: readonly RawIssue[],
    /** `'run'`: it was stored before the schema was there, or by plain SQL. */
    readonly at: 'enqueue' | 'run',
    /** Of `enqueueMany()`: which of the jobs. */
    readonly index?: number,
  ) {
    const bounded = issues.slice(0, MOST_ISSUES).map(bound);
    const job = index === undefined ? 'a job' : `jobs[${index}]`;
    const cure =
      at === 'enqueue'
        ? 'Nothing was written: correct the payload.'
        : 'Its handler was not called: correct the payload or the schema, and retry the job.';
    super(
      `The payload of ${job} of type '${jobType}' is not as its schema says: ${tell(bounded, issues.length)}. ${cure}`,
    );
    this.issues = bounded;
  }
}

function tell(issues: readonly PayloadIssue[], count: number): string {
  const told = issues.slice(0, TOLD).map(({ path }) => (path === '' ? 'the payload as a whole' : path));
  const rest = count - told.length;
  return `${count} ${count === 1 ? 'issue' : 'issues'}: ${told.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function bound({ path = [], message }: RawIssue): PayloadIssue {
  const keys = path.map((segment) => (typeof segment === 'object' ? segment.key : segment));
  const text = keys
    .map((key, index) => (isIndex(key) ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('');
  return { path: cut(text, LONGEST_PATH), message: cut(String(message), LONGEST_MESSAGE) };
}

function isIndex(key: PropertyKey): key is number {
  return typeof key === 'number';
}

function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}
