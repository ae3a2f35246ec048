import { describeValue } from './describe-value.js';

/**
 * The base of every error this library throws. A message says what was wrong, the value that was given, and the cure.
 *
 * @publicApi
 */
export class PersistentQueueError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }

  /** Joins the three parts of a message: the mistake, the value and the cure. */
  protected static compose(mistake: string, value: unknown, cure: string, describe = describeValue): string {
    return `${mistake} (got ${describe(value)}). ${cure}`;
  }
}
