import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LockTimeoutError } from '../errors/lock-timeout.error.js';
import { NotRunningError } from '../errors/not-running.error.js';
import { QueueEvents } from '../events/queue-events.js';
import { InterruptibleSleep } from '../support/interruptible-sleep.js';
import { processName } from '../support/process-name.js';
import { processTime } from '../support/pulse.js';
import { LockKeeper } from './lock-keeper.js';
import {
  checkLockName,
  readLockTimes,
  readWait,
  WAIT_OPTIONS,
  type LockOptions,
  type LockTimes,
  type LockWaitOptions,
} from './lock-options.js';
import { LockRepository } from './lock-repository.js';
import { Lock } from './lock.js';

const FIRST_PAUSE = 10;
const LONGEST_PAUSE = 1_000;
/** All who wait know when the lock runs out: they should not all ask in the same millisecond. */
const SPREAD = 20;

type Work<T> = (lock: Lock) => T | Promise<T>;

/**
 * Locks by name, among all processes of a service: one holder at a time, each with a higher fence than the one before.
 *
 * Names are compared byte by byte. Not reentrant: whoever holds a lock and asks for it again waits for itself. Who waits is served in
 * no order.
 *
 * @publicApi
 */
@Injectable()
export class LockService {
  private readonly ambient = new AsyncLocalStorage<Lock>();
  private readonly held = new Set<LockKeeper>();
  private readonly waiting = new Set<InterruptibleSleep>();
  private readonly released = new InterruptibleSleep();
  private isStopped = false;

  constructor(
    private readonly repository: LockRepository,
    private readonly events: QueueEvents,
  ) {}

  /** The lock of the innermost `using()`, `tryUsing()` or `@WithLock()` method that the calling code is inside of. */
  get current(): Lock | undefined {
    return this.ambient.getStore();
  }

  /** The lock, or `undefined` when somebody holds it. */
  async tryAcquire(name: string, options: LockOptions = {}): Promise<Lock | undefined> {
    checkLockName(name);
    const answer = await this.take(name, readLockTimes('tryAcquire()', options));
    return answer instanceof Lock ? answer : undefined;
  }

  /**
   * The lock, as soon as nobody else holds it.
   *
   * @throws LockTimeoutError after `wait`.
   */
  async acquire(name: string, options: LockWaitOptions = {}): Promise<Lock> {
    checkLockName(name);
    const times = readLockTimes('acquire()', options, WAIT_OPTIONS);
    const wait = readWait(options);
    const giveUpAt = performance.now() + wait;
    for (let longest = FIRST_PAUSE; ; longest = Math.min(longest * 2, LONGEST_PAUSE)) {
      const answer = await this.take(name, times);
      if (answer instanceof Lock) return answer;
      const left = giveUpAt - performance.now();
      if (left <= 0) throw new LockTimeoutError(name, wait);
      const pause = longest * (0.5 + Math.random() / 2);
      const freeIn = Math.max(0, answer.freeIn) + 1 + Math.random() * SPREAD;
      await this.pause(Math.min(pause, freeIn, left));
    }
  }

  /** Waits for the lock, as `acquire()`, and holds it until what `work` answers has settled. */
  async using<T>(name: string, options: LockWaitOptions, work: Work<T>): Promise<T> {
    return this.hold(await this.acquire(name, options), work);
  }

  /** As `using()`, but when somebody holds the lock, `work` is left out and the answer is `undefined`. */
  async tryUsing<T>(name: string, options: LockOptions, work: Work<T>): Promise<T | undefined> {
    const lock = await this.tryAcquire(name, options);
    return lock === undefined ? undefined : this.hold(lock, work);
  }

  /** Resolves when this process holds no lock, and after `timeout` milliseconds in any case. */
  async idle(timeout: number): Promise<void> {
    const giveUpAt = performance.now() + timeout;
    for (let left = timeout; this.held.size > 0 && left > 0; left = giveUpAt - performance.now())
      await this.released.sleep(left);
  }

  /** What is still held is not released, because the work may go on: its signal is aborted, and it runs out. */
  stop(): void {
    this.isStopped = true;
    for (const rest of this.waiting) rest.wake();
    for (const keeper of this.held) keeper.abandon();
    // Until then every asynchronous call of the whole process carries it along.
    this.ambient.disable();
  }

  private async hold<T>(lock: Lock, work: Work<T>): Promise<T> {
    try {
      return await this.ambient.run(lock, () => work(lock));
    } finally {
      await lock.release();
    }
  }

  private async take(name: string, times: LockTimes): Promise<Lock | { freeIn: number }> {
    if (this.isStopped) throw new NotRunningError('A lock');
    const token = randomUUID();
    const sent = processTime();
    const answer = await this.repository.take({ name, token, owner: processName(), atMost: times.atMost });
    if (!('fence' in answer)) return answer;
    const { fence } = answer;
    const keeper = new LockKeeper({ ...times, name, token, fence, sent }, this.repository, this.events, (ended) =>
      this.forget(ended),
    );
    this.held.add(keeper);
    const lock = new Lock(name, fence, times.atMost, keeper);
    if (this.isStopped) keeper.abandon();
    if (!keeper.isLost) return lock;
    await lock.release();
    return { freeIn: 0 };
  }

  private forget(keeper: LockKeeper): void {
    this.held.delete(keeper);
    if (this.held.size === 0) this.released.wake();
  }

  private async pause(milliseconds: number): Promise<void> {
    const rest = new InterruptibleSleep();
    this.waiting.add(rest);
    await rest.sleep(milliseconds);
    this.waiting.delete(rest);
  }
}
