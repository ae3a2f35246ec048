import { Injectable } from '@nestjs/common';
import { Subject, type Observable } from 'rxjs';
import { isErrorLike } from '../support/is-error-like.js';
import { messageOf } from '../support/message-of.js';
import type { QueueEvent } from './queue-event.js';

/** The engine only emits; what is logged, counted or shown is the subscribers' business. */
@Injectable()
export class QueueEvents {
  private readonly subject = new Subject<QueueEvent>();
  readonly events$: Observable<QueueEvent> = this.subject.asObservable();

  emit(event: QueueEvent): void {
    this.subject.next(event);
  }

  databaseError(during: string, error: unknown): void {
    this.emit({ name: 'database.error', during, ...toldOf(error) });
  }

  /** For a loop: tells its error, and answers the pause until its next step. */
  databaseErrorIn(during: string, pause: number): (error: unknown) => number {
    return (error) => {
      this.databaseError(during, error);
      return pause;
    };
  }

  databaseRetried({ error, tries, wait }: { error: unknown; tries: number; wait: number }): void {
    this.emit({ name: 'database.retried', tries, wait, ...toldOf(error) });
  }
}

/** Of an error, as events tell it. */
export function toldOf(thrown: unknown): { error: string; errorName: string | undefined } {
  // Nothing keeps a library from setting it to something else than a string.
  const name: unknown = isErrorLike(thrown) ? thrown.name : undefined;
  return { error: messageOf(thrown), errorName: typeof name === 'string' ? name : undefined };
}
