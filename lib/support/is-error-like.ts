/**
 * `instanceof Error` is false for errors of another realm: a native driver that Jest has loaded for one test file throws the first
 * file's errors in the next one.
 */
export function isErrorLike(value: unknown): value is Error {
  return (
    value instanceof Error || (typeof value === 'object' && value !== null && 'message' in value && 'stack' in value)
  );
}
