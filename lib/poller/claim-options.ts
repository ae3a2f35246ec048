import type { RegisteredHandler } from '../handler/registered-handler.js';
import type { ClaimRequest } from '../repository/job-repository.js';

/** What a claim has to know about the type. */
export function claimOptions({
  retention,
  options: { deadline, maxCrashes, ackTimeout, limits },
}: RegisteredHandler): Pick<ClaimRequest, 'deadline' | 'maxCrashes' | 'manual' | 'limits'> {
  return { deadline, maxCrashes, manual: ackTimeout === undefined ? undefined : { ackTimeout, retention }, limits };
}
