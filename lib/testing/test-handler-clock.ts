import type { AsyncLocalStorage } from 'node:async_hooks';
import { HandlerClock } from '../handler/handler-clock.js';
import type { TestedJob } from './tested-job.js';

/** Tells a job when its handler has come to its first `await`. */
export class TestHandlerClock extends HandlerClock {
  constructor(private readonly current: AsyncLocalStorage<TestedJob>) {
    super();
  }

  override called(): void {
    this.current.getStore()?.enter();
  }
}
