import { setTimeout as sleep } from 'node:timers/promises';

const STEP_MS = 8;

export interface WaitOptions {
  timeout?: number;
  /** What is waited for, and how things stand: the failure's message. */
  describe?: string | (() => string);
}

/** Polls until the condition holds, and answers its value; fails with the description after the timeout. */
export async function waitUntil<T>(
  condition: () => T | Promise<T>,
  { timeout = 10_000, describe = 'the condition' }: WaitOptions = {},
): Promise<T> {
  const deadline = performance.now() + timeout;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > deadline) {
      throw new Error(`after ${timeout} ms still waiting for ${typeof describe === 'string' ? describe : describe()}`);
    }
    await sleep(STEP_MS);
  }
}

export interface Deferred<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: unknown) => void;
}

/** A promise that the test settles by hand. */
export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
