import { setTimeout as pause } from 'node:timers/promises';

export interface RetryPolicy {
  readonly isRolledBack: (error: unknown) => boolean;
  /** How long to go on trying, in milliseconds. */
  readonly patience: number;
  /** The first wait is about a millisecond, each next one twice that, up to this. */
  readonly longestWait: number;
}

const FIRST_WAIT = 1;

/**
 * Runs `work` again while the database says that it has undone it. Only for our own connections: on a caller's the server may
 * have rolled back the caller's rows too, and a second try would commit ours without them.
 */
export async function retryRolledBack<T>(policy: RetryPolicy, work: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + policy.patience;
  for (let wait = FIRST_WAIT; ; wait = Math.min(wait * 2, policy.longestWait)) {
    try {
      return await work();
    } catch (error) {
      if (!policy.isRolledBack(error) || performance.now() > giveUpAt) throw error;
      // Jitter: transactions that met once would otherwise meet again.
      await pause(wait * (0.5 + Math.random()));
    }
  }
}
