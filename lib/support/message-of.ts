import { isErrorLike } from './is-error-like.js';

/** Anything may be thrown. Where a host has several addresses, Node's own error is empty: what it says is in the errors of each. */
export function messageOf(thrown: unknown): string {
  const message = ownMessageOf(thrown);
  const errors: unknown = message === '' ? Object(thrown).errors : undefined;
  return Array.isArray(errors) ? [...new Set(errors.map(ownMessageOf))].join('; ') : message;
}

function ownMessageOf(thrown: unknown): string {
  return isErrorLike(thrown) ? thrown.message : String(thrown);
}
