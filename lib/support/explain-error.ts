import { inspect } from 'node:util';
import { messageOf } from './message-of.js';

const MOST_MESSAGES = 50;
const BOUNDED = { depth: 4, breakLength: Infinity, maxArrayLength: MOST_MESSAGES, maxStringLength: 200 };

/**
 * Its message, and what an exception of Nest's keeps in its response instead: `Bad Request Exception` alone says nothing, what a
 * `ValidationPipe` has found is in there. Throws what the error's own properties throw.
 */
export function explainError(thrown: unknown): string {
  // Nothing keeps a library from setting it to something else than a string.
  const message: unknown = messageOf(thrown);
  return [String(message), detailsOf(thrown).join('; ')].filter((part) => part !== '').join(': ');
}

function detailsOf(thrown: unknown): string[] {
  const response = responseOf(thrown);
  if (typeof response !== 'object' || response === null) return [];
  const { message, statusCode: _, error: _label, ...others } = response as Record<string, unknown>;
  const messages = Array.isArray(message) ? message.slice(0, MOST_MESSAGES).map(bounded) : [];
  return Object.keys(others).length === 0 ? messages : [...messages, bounded(others)];
}

function responseOf(thrown: unknown): unknown {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  const getResponse: unknown = Reflect.get(thrown, 'getResponse');
  return typeof getResponse === 'function' ? Reflect.apply(getResponse, thrown, []) : undefined;
}

function bounded(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value, BOUNDED);
}
