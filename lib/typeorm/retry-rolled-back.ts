import { setTimeout as pause } from 'node:timers/promises';

export interface RetryPolicy {
  readonly isRolledBack: (error: unknown) => boolean;
  /** How long to go on trying, in milliseconds. */
  readonly patience: number;
  /** The first wait is about a millisecond, each next one twice that, up to this. */
  readonly longestWait: number;
  readonly onRetry?: ((retry: Retry) => void) | undefined;
}

/** A try that has failed, and will be followed by another one. */
export interface Retry {
  readonly error: unknown;
  /** How many have failed. */
  readonly tries: number;
  /** Milliseconds until the next one. */
  readonly wait: number;
}

const FIRST_WAIT = 1;

/**
 * Runs `work` again while the database says that it has undone it. Only for our own connections: on a caller's the server may
 * have rolled back the caller's rows too, and a second try would commit ours without them.
 */
export async function retryRolledBack<T>(policy: RetryPolicy, work: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + policy.patience;
  for (let tries = 1, longest = FIRST_WAIT; ; tries++, longest = Math.min(longest * 2, policy.longestWait)) {
    try {
      return await work();
    } catch (error) {
      if (!policy.isRolledBack(error) || performance.now() > giveUpAt) throw error;
      // Jitter: transactions that met once would otherwise meet again.
      const wait = longest * (0.5 + Math.random());
      policy.onRetry?.({ error, tries, wait });
      await pause(wait);
    }
  }
}
