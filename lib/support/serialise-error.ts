import { describeValue } from '../errors/describe-value.js';
import { explainError } from './explain-error.js';
import { InvalidPayloadError, type PayloadIssue } from '../errors/invalid-payload.error.js';
import { isErrorLike } from './is-error-like.js';

/**
 * An error as the history keeps it. Bounded: a 10 MB message, an endless cause chain or a circular one is cut.
 *
 * @publicApi
 */
export interface RecordedError {
  name: string;
  message: string;
  stack?: string;
  code?: string;
  /** Of an `InvalidPayloadError`. */
  issues?: readonly PayloadIssue[];
  cause?: RecordedError;
}

const LONGEST_NAME = 200;
const LONGEST_MESSAGE = 4_000;
const LONGEST_STACK = 8_000;
const DEEPEST_CAUSE = 5;

/** Never throws, whatever was thrown at us. Properties of a driver's error (query, parameters) are left out on purpose. */
export function serialiseError(thrown: unknown, depth = 0): RecordedError {
  try {
    return isErrorLike(thrown)
      ? fromError(thrown, depth)
      : { name: typeof thrown, message: cut(describeValue(thrown), LONGEST_MESSAGE) };
  } catch {
    return { name: 'Error', message: 'The error could not be read: one of its properties throws.' };
  }
}

function fromError(error: Error, depth: number): RecordedError {
  // Nothing keeps a library from setting it to something else than a string.
  const { name }: { name: unknown } = error;
  const recorded: RecordedError = {
    name: cut(String(name), LONGEST_NAME),
    message: cut(explainError(error), LONGEST_MESSAGE),
  };
  if (typeof error.stack === 'string') recorded.stack = cut(withoutMessage(error.stack, error.message), LONGEST_STACK);
  const code: unknown = Reflect.get(error, 'code');
  if (typeof code === 'string') recorded.code = cut(code, LONGEST_NAME);
  if (error instanceof InvalidPayloadError) recorded.issues = error.issues;
  if (error.cause !== undefined && depth < DEEPEST_CAUSE) recorded.cause = serialiseError(error.cause, depth + 1);
  return recorded;
}

/** The stack begins with the message, which may be megabytes: the frames are what is wanted. */
function withoutMessage(stack: string, message: string): string {
  const at = message === '' ? -1 : stack.indexOf(message);
  return at < 0 ? stack : stack.slice(at + message.length).replace(/^\s*\n/, '');
}

function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}… (${text.length} characters)`;
}
