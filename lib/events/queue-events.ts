import { Injectable } from '@nestjs/common';
import { Subject, type Observable } from 'rxjs';
import { isErrorLike } from '../support/is-error-like.js';
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
    this.emit({ name: 'database.error', during, error: isErrorLike(error) ? error.message : String(error) });
  }
}
