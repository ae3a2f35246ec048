import pLimit, { type LimitFunction } from 'p-limit';

/** Lets only one at a time use a connection. Drivers queue single statements, not what belongs together. */
export class Turns {
  private readonly limits = new WeakMap<object, LimitFunction>();

  take<T>(connection: object, work: () => Promise<T>): Promise<T> {
    const limit = this.limits.get(connection) ?? pLimit(1);
    this.limits.set(connection, limit);
    return limit(work);
  }
}
