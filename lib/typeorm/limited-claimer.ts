import type { JobLimits } from '../job/job-limits.js';
import type { Settlement } from '../job/settlement.js';
import type { ClaimAnswer, ClaimRequest } from '../repository/job-repository.js';
import { addSlots } from './add-slots.js';
import { fileJobs } from './file-jobs.js';
import { HeldSlots } from './held-slots.js';
import { KeyedClaimer } from './keyed-claimer.js';
import { KnownKeys } from './known-keys.js';
import type { ClaimMarks } from './low-water-marks.js';
import type { Connected } from './queue-connection.js';
import { SlotClaims } from './slot-claims.js';
import { SlotHandOver } from './slot-hand-over.js';
import { shareSlots, untilOthersHaveTheirs, type SharedSlots } from './slot-plan.js';
import { lookAtType } from './statements/look-at-limits.js';

/** Looks of one claim, while all keys that they find are held back. */
const MOST_LOOKS = 10;

/**
 * How jobs of types with limits are claimed: what is free is looked for without locks, and then taken in one transaction, as far as nobody
 * else has come first. Between two looks, slots of jobs that end here are handed over.
 *
 *     slots of the type ──► keys with jobs, and their slots ──┐
 *                           slots of jobs that have ended ────┴──► lock slots ──► claim jobs ──► write slots
 */
export class LimitedClaimer {
  private readonly held = new HeldSlots();
  private readonly known = new KnownKeys();
  private readonly claims = new SlotClaims(this.held);
  private readonly keyed = new KeyedClaimer(this.known, this.claims);
  private readonly handOver = new SlotHandOver(this.held, this.known, this.claims);

  async claim(connected: Connected, request: ClaimRequest, limits: JobLimits, marks: ClaimMarks): Promise<ClaimAnswer> {
    const handedOver = await this.handOver.claim(connected, request, limits, marks);
    if (handedOver !== undefined) return handedOver;
    const again = request.again === true && !this.handOver.owesLook(request.type);
    const answer = await this.look(connected, { ...request, again }, limits, marks);
    this.handOver.looked(request.type, limits, answer);
    return answer;
  }

  /** What this process has claimed has come to these ends. */
  ended(settlements: readonly Settlement[]): void {
    this.held.ended(settlements);
  }

  private async look(
    connected: Connected,
    request: ClaimRequest,
    limits: JobLimits,
    marks: ClaimMarks,
  ): Promise<ClaimAnswer> {
    const { database, tables } = connected;
    const { type } = request;
    const isFiled = limits.key !== undefined && this.keyed.knows(request);
    const { unfiled, known } = await database.run(() => lookAtType(tables, type, limits, isFiled));
    if (limits.key === undefined && unfiled === undefined) return { jobs: [], left: 'none', freeIn: undefined };
    const shared = shareSlots(known, limits, request.limit);
    if (shared.most === 0) {
      this.known.forget(type);
      return { jobs: [], left: 'held back', freeIn: shared.freeIn };
    }
    await addSlots(connected, type, shared.slots.flat(), known);
    const { key } = limits;
    if (key === undefined) return this.claimLevel(connected, { ...request, priority: unfiled ?? 0 }, shared, marks);
    const claim = (again: boolean) => this.keyed.claim(connected, { ...request, again }, limits, shared, marks);
    // What nobody has filed yet is filed first: it may be under one of the keys that come next.
    const file = () => (unfiled === undefined ? false : fileJobs(connected, type, key.from, unfiled));
    return claimFiled(file, () => claim(request.again === true && unfiled === undefined));
  }

  private async claimLevel(
    connected: Connected,
    request: ClaimRequest,
    shared: SharedSlots,
    marks: ClaimMarks,
  ): Promise<ClaimAnswer> {
    const keys = [{ key: '', priority: request.priority }];
    const look = { keys, below: undefined, lowest: undefined, took: 0, mayHandOver: !shared.isExceeded };
    this.known.looked(request.type, look, performance.now());
    const { jobs, slots } = await this.claims.ofLevel(connected, request, shared, marks);
    // Worse levels may have more, and so may slots that somebody else was about to take.
    const isShort = jobs.length > 0 && jobs.length < shared.most;
    if (isShort || jobs.length === request.limit) return { jobs, left: 'some', freeIn: undefined };
    if (slots === 0) return { jobs, left: 'held back', freeIn: untilOthersHaveTheirs() };
    return { jobs, left: jobs.length === slots ? 'held back' : 'none', freeIn: shared.freeIn };
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
