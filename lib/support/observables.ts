import { from, isObservable, lastValueFrom, Observable } from 'rxjs';

/**
 * What a function has answered, an Observable awaited: its last value when it completes. One that completes without a value has done
 * its work and answers nothing, as a function that returns nothing; to rxjs alone it would be an error.
 */
export function awaited(returned: unknown): unknown {
  return isObservable(returned) ? lastValueFrom(returned, { defaultValue: undefined }) : returned;
}

/** An Observable, or a promise of one, is unsubscribed from when the signal is aborted, which cancels its source, and fails. */
export function untilAborted(returned: unknown, signalOf: () => AbortSignal): unknown {
  if (returned instanceof Promise) return returned.then((value) => untilAborted(value, signalOf));
  return isObservable(returned) ? abortable(returned, signalOf()) : returned;
}

function abortable<T>(source: Observable<T>, signal: AbortSignal): Observable<T> {
  return new Observable((subscriber) => {
    const abort = () => subscriber.error(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    subscriber.add(() => signal.removeEventListener('abort', abort));
    // From another copy of rxjs it may be.
    from(source).subscribe(subscriber);
  });
}
