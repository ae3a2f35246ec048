/** Thrown by `serialiseJson`: says what in the value JSON cannot carry. */
export class UnserialisableError extends TypeError {}

/**
 * JSON text, or an `UnserialisableError`. Stricter than `JSON.stringify`, which turns a Map into `{}`, NaN into null and
 * drops functions: such a payload would reach its handler as something else than was enqueued.
 */
export function serialiseJson(value: unknown): string {
  try {
    const json = JSON.stringify(value === undefined ? null : value, refuseLossy) as string | undefined;
    if (json === undefined)
      throw new UnserialisableError('the value is nothing to JSON: its toJSON() answers undefined');
    return json;
  } catch (error) {
    if (error instanceof UnserialisableError) throw error;
    throw new UnserialisableError(error instanceof Error ? firstLine(error.message) : 'JSON.stringify failed', {
      cause: error,
    });
  }
}

/** Both what is in the payload and what its toJSON(), if it has one, makes of it. */
function refuseLossy(this: unknown, key: string, value: unknown): unknown {
  for (const candidate of [(this as Record<string, unknown>)[key], value]) {
    const reason = whyLossy(candidate);
    if (reason === undefined) continue;
    // Where it is, and not what it is: the message is logged, and what is enqueued is not.
    throw new UnserialisableError(`${key === '' ? 'the value' : `'${key}'`} is ${reason}`);
  }
  return value;
}

function whyLossy(value: unknown): string | undefined {
  if (typeof value === 'bigint') return 'a BigInt';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (typeof value === 'number' && !Number.isFinite(value)) return `not a finite number: ${value}`;
  if (value instanceof Map || value instanceof WeakMap) return 'a Map';
  if (value instanceof Set || value instanceof WeakSet) return 'a Set';
  if (value instanceof Date && Number.isNaN(value.getTime())) return 'an invalid Date';
  if (isThenable(value)) return 'a promise, whose await may have been forgotten';
  return undefined;
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function';
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
