import { Injectable } from '@nestjs/common';
import { DashboardOptions, type ValueSource } from './dashboard-options.js';

/** Instead of a value. A job whose payload is this text was never meant: see `isPlaceholder`. */
export const HIDDEN = "Hidden. PersistentQueueDashboardModule.forRoot({ payloads: 'shown' }) shows it.";
export const UNREDACTED = 'Hidden: forRoot({ redact }) has thrown, or answered a promise or what JSON cannot carry.';

/** Somebody has copied what stands in place of a payload into a new job. */
export function isPlaceholder(value: unknown): boolean {
  return value === HIDDEN || value === UNREDACTED;
}

/** The only way on which what jobs carry leaves the server. */
@Injectable()
export class PayloadView {
  constructor(private readonly options: DashboardOptions) {}

  /** A value that is not there stays `undefined`: that there is none is no secret. */
  show(value: unknown, source: ValueSource): unknown {
    if (value === undefined) return undefined;
    return this.options.showsPayloads ? this.redacted(value, source) : HIDDEN;
  }

  /** A copy by way of JSON, so that whatever `redact` answers cannot fail when the page is written. */
  private redacted(value: unknown, source: ValueSource): unknown {
    try {
      const redacted = this.options.redact(value, source);
      if (isThenable(redacted)) return unredacted(redacted);
      const json = JSON.stringify(redacted) as string | undefined;
      return json === undefined ? undefined : JSON.parse(json);
    } catch {
      return UNREDACTED;
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function';
}

/** The page does not wait for it; a rejection that nobody handles would end the process. */
function unredacted(answer: PromiseLike<unknown>): string {
  answer.then(undefined, () => undefined);
  return UNREDACTED;
}
