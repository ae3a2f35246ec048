import type { Attempt } from '../../job/attempt.js';
import type { RecordedError } from '../../support/serialise-error.js';

/** As Node prints an error, with its causes. */
export function tellError({ name, message, stack, cause }: RecordedError): string {
  const own = [`${name}: ${message}`, ...(stack === undefined ? [] : [stack])].join('\n');
  return cause === undefined ? own : `${own}\nCaused by: ${tellError(cause)}`;
}

/** One entry of the board's list of stacks. */
export function tellAttempt({ attempt, node, endedAt, outcome, reason, error }: Attempt): string {
  const why = reason === undefined ? outcome : `${outcome}, ${reason}`;
  const head = `Attempt ${attempt} on ${node}, ${endedAt.toISOString()}: ${why}`;
  return error === undefined ? head : `${head}\n${tellError(error)}`;
}
