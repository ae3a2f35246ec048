import { isErrorLike } from './is-error-like.js';

/** Anything may be thrown. */
export function messageOf(thrown: unknown): string {
  return isErrorLike(thrown) ? thrown.message : String(thrown);
}
