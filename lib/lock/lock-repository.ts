import type { EntityManager } from 'typeorm';

/**
 * One holding of a lock. Each has a token of its own: nobody else can renew or release it, not even the same process later.
 *
 * @publicApi
 */
export interface HeldLock {
  readonly name: string;
  readonly token: string;
}

/**
 * What a holder is to be.
 *
 * @publicApi
 */
export interface LockRequest extends HeldLock {
  /** For people: `host:pid`. */
  readonly owner: string;
  /** Milliseconds from now, by the database's clock. */
  readonly atMost: number;
}

/**
 * The fence of the new holder, or in how many milliseconds the lock runs out unless it is renewed.
 *
 * @publicApi
 */
export type LockAnswer = { readonly fence: number } | { readonly freeIn: number };

/**
 * Locks in the database, for one service. Only the database's clock says what has run out.
 *
 * @publicApi
 */
export abstract class LockRepository {
  /** Takes the lock if nobody holds it. The fence is larger than that of every holder before. */
  abstract take(request: LockRequest): Promise<LockAnswer>;

  /** From now on it runs out after `duration` milliseconds at the earliest. `false`: it had run out before, or is not this holder's. */
  abstract renew(lock: HeldLock, duration: number): Promise<boolean>;

  /** Locks the row of the lock until the caller's transaction ends. `false`: the lock has run out, or is not this holder's. */
  abstract holdIn(manager: EntityManager, lock: HeldLock): Promise<boolean>;

  /** Free at once, or `atLeast` milliseconds after it was taken. Of a lock that is not this holder's, nothing is changed. */
  abstract release(lock: HeldLock, atLeast: number): Promise<void>;
}
