/** `expect.any(String)` and its like, of Jest and of Vitest. */
interface AsymmetricMatcher {
  asymmetricMatch(actual: unknown): boolean;
}

/** What JSON leaves of an expected value, so that a Date or an `undefined` in it is what was enqueued. Matchers stay. */
export function jsonOf(expected: unknown): unknown {
  if (isMatcher(expected)) return expected;
  if (hasToJson(expected)) return expected.toJSON();
  if (Array.isArray(expected)) return expected.map((item) => jsonOf(item) ?? null);
  if (!isObject(expected)) return expected;
  const entries = Object.entries(expected).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, jsonOf(value)]));
}

/**
 * The part of `actual` that `expected` tells of, in its order, so that a difference shows nothing else. What a matcher accepts is the
 * matcher itself. Objects may have more than is expected, lists may not.
 */
export function partOf(actual: unknown, expected: unknown): unknown {
  if (isMatcher(expected)) return expected.asymmetricMatch(actual) ? expected : actual;
  if (Array.isArray(expected) && Array.isArray(actual))
    return actual.map((item, index) => partOf(item, expected[index]));
  if (!isObject(expected) || !isObject(actual)) return actual;
  const keys = Object.keys(expected).filter((key) => key in actual);
  return Object.fromEntries(keys.map((key) => [key, partOf(actual[key], expected[key])]));
}

function isMatcher(value: unknown): value is AsymmetricMatcher {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'asymmetricMatch') === 'function';
}

function hasToJson(value: unknown): value is { toJSON(): unknown } {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'toJSON') === 'function';
}

function isObject(value: unknown): value is Record<string, unknown> {
  // A Date is a value of its own, in whichever realm it was made.
  return Object.prototype.toString.call(value) === '[object Object]';
}
