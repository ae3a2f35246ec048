import { messageOf } from '../support/message-of.js';

/** Where a host has several addresses, Node's own error is empty: what it says is in the errors of each. */
export function allMessages(error: unknown): string {
  if (!(error instanceof AggregateError)) return messageOf(error);
  return [...new Set([error.message, ...error.errors.map(messageOf)])].filter((message) => message !== '').join('; ');
}
