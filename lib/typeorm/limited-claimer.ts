import type { JobLimits } from '../job/job-limits.js';
import type { ClaimAnswer, ClaimRequest } from '../repository/job-repository.js';
import { addSlots } from './add-slots.js';
import { fileJobs } from './file-jobs.js';
import { KeyedClaimer } from './keyed-claimer.js';
import type { ClaimMarks } from './low-water-marks.js';
import type { Connected } from './queue-connection.js';
import { shareSlots, untilOthersHaveTheirs, type SharedSlots } from './slot-plan.js';
import { claimUnkeyed } from './statements/claim-limited.js';
import { lookAtType } from './statements/look-at-limits.js';

/** Looks of one claim, while all keys that they find are held back. */
const MOST_LOOKS = 10;

/**
 * How jobs of types with limits are claimed: what is free is looked for without locks, and then taken in one transaction, as far as nobody
 * else has come first.
 *
 *     slots of the type ──► keys with jobs, and their slots ──► lock slots ──► claim jobs ──► write slots
 */
export class LimitedClaimer {
  private readonly keyed = new KeyedClaimer();

  async claim(connected: Connected, request: ClaimRequest, limits: JobLimits, marks: ClaimMarks): Promise<ClaimAnswer> {
    const { database, tables } = connected;
    const { unfiled, known } = await database.run(() =>
      lookAtType(tables, request.type, limits, this.keyed.knows(request)),
    );
    if (limits.key === undefined && unfiled === undefined) return { jobs: [], left: 'none', freeIn: undefined };
    const shared = shareSlots(known, limits, request.limit);
    if (shared.most === 0) return { jobs: [], left: 'held back', freeIn: shared.freeIn };
    await addSlots(connected, request.type, shared.slots.flat(), known);
    const { key } = limits;
    if (key === undefined) return claimLevel(connected, { ...request, priority: unfiled ?? 0 }, shared, marks);
    const claim = (again: boolean) => this.keyed.claim(connected, { ...request, again }, key.limit, shared, marks);
    // What nobody has filed yet is filed first: it may be under one of the keys that come next.
    const file = () => (unfiled === undefined ? false : fileJobs(connected, request.type, key.from, unfiled));
    return claimFiled(file, () => claim(request.again === true && unfiled === undefined));
  }
}

/** A backlog of one key that is held back may have to be filed before the first job of another one is found. */
async function claimFiled(
  file: () => boolean | Promise<boolean>,
  claim: () => Promise<ClaimAnswer>,
): Promise<ClaimAnswer> {
  let mayBeUnfiled = true;
  for (let look = 1; ; look++) {
    mayBeUnfiled = mayBeUnfiled && (await file());
    const answer = await claim();
    if (answer.jobs.length > 0 || (answer.left !== 'some' && !mayBeUnfiled)) return answer;
    if (look === MOST_LOOKS) return { ...answer, left: 'some' };
  }
}

async function claimLevel(
  { database, tables }: Connected,
  request: ClaimRequest,
  shared: SharedSlots,
  marks: ClaimMarks,
): Promise<ClaimAnswer> {
  const from = marks.from(request, performance.now());
  const { jobs, slots } = await database.transaction(() => claimUnkeyed(tables, request, shared, from));
  marks.advance(request, jobs, slots);
  // Worse levels may have more, and so may slots that somebody else was about to take.
  const isShort = jobs.length > 0 && jobs.length < shared.most;
  if (isShort || jobs.length === request.limit) return { jobs, left: 'some', freeIn: undefined };
  if (slots === 0) return { jobs, left: 'held back', freeIn: untilOthersHaveTheirs() };
  return { jobs, left: jobs.length === slots ? 'held back' : 'none', freeIn: shared.freeIn };
}
