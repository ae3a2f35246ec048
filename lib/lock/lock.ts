import type { EntityManager } from 'typeorm';
import type { Duration } from '../support/duration.js';
import type { LockKeeper } from './lock-keeper.js';
import { readExtension } from './lock-options.js';

/**
 * A lock that this process holds. It is renewed until it is released or lost.
 *
 * Not reentrant: whoever holds it and asks for it again waits for itself.
 *
 * @publicApi
 */
export class Lock {
  constructor(
    readonly name: string,
    /** Larger than that of every holder before. A write that carries it can be refused when somebody newer has written. */
    readonly fence: number,
    private readonly atMost: number,
    private readonly keeper: LockKeeper,
  ) {}

  /**
   * Aborted, with a `LockLostError`, before somebody else can hold the lock. Asking it (`aborted`, `throwIfAborted()`) looks at the
   * clock: right after a pause of the process too.
   */
  get signal(): AbortSignal {
    return this.keeper.signal;
  }

  /**
   * From now on it runs out after `by` at the earliest: before code that blocks the event loop, which keeps the renewals from being sent.
   *
   * @throws LockLostError when it is not held any more.
   */
  extend(by: Duration = this.atMost): Promise<void> {
    return this.keeper.extend(readExtension(by));
  }

  /** @internal Before a transaction that will hold it, and not inside of it. */
  refresh(): Promise<void> {
    return this.keeper.refresh();
  }

  /**
   * Runs `work` as part of your transaction while nobody else can get the lock: its row is locked until the transaction ends. What is
   * committed then was written by the holder of the lock. It must not take longer than `atMost`: the lock is not renewed meanwhile.
   *
   * @throws LockLostError when it is not held any more, before `work` or after it: let the transaction roll back.
   */
  holdIn<T>(manager: EntityManager, work: () => Promise<T>): Promise<T> {
    return this.keeper.holdIn(manager, work);
  }

  /** Frees it, after `atLeast` at the earliest. May be called again. A lost lock stays as it is; one that cannot be freed runs out. */
  release(): Promise<void> {
    return this.keeper.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
