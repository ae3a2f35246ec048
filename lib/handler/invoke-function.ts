import type { JobContext } from '../job/job-context.js';
import { awaited, untilAborted } from '../support/observables.js';
import type { HandlerClock } from './handler-clock.js';
import type { Invoke } from './registered-handler.js';

/** A function for a handler: of no class, so that no guard or interceptor is around it. An Observable ends with the attempt. */
export function invokeFunction(
  work: (payload: never, job: JobContext) => unknown,
  type: string,
  clock: HandlerClock,
): Invoke {
  const timed = (payload: unknown, job: JobContext): unknown => {
    const started = performance.now();
    try {
      return untilAborted(work(payload as never, job), () => job.signal);
    } finally {
      clock.called(type, performance.now() - started);
    }
  };
  return async (payload, job) => awaited(await timed(payload, job));
}
