import { describeValue } from '../errors/describe-value.js';

/** Thrown by `serialiseJson`: says what in the value JSON cannot carry. */
export class UnserialisableError extends TypeError {}

/**
 * JSON text, or an `UnserialisableError`. Stricter than `JSON.stringify`, which turns a Map into `{}`, NaN into null and
 * drops functions: such a payload would reach its handler as something else than was enqueued.
 */
export function serialiseJson(value: unknown): string {
  try {
    return JSON.stringify(value === undefined ? null : value, refuseLossy);
  } catch (error) {
    if (error instanceof UnserialisableError) throw error;
    throw new UnserialisableError(error instanceof Error ? firstLine(error.message) : 'JSON.stringify failed', {
      cause: error,
    });
  }
}

function refuseLossy(this: unknown, key: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[key];
  const reason = whyLossy(original);
  if (reason !== undefined) {
    throw new UnserialisableError(`${key === '' ? 'the value' : `'${key}'`} is ${reason}: ${describeValue(original)}`);
  }
  return value;
}

function whyLossy(value: unknown): string | undefined {
  if (typeof value === 'bigint') return 'a BigInt';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (typeof value === 'number' && !Number.isFinite(value)) return 'not a finite number';
  if (value instanceof Map || value instanceof WeakMap) return 'a Map';
  if (value instanceof Set || value instanceof WeakSet) return 'a Set';
  if (value instanceof Date && Number.isNaN(value.getTime())) return 'an invalid Date';
  return undefined;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
