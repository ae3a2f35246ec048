import type { ClaimedJob } from '../job/job.js';
import type { JobLimits } from '../job/job-limits.js';
import type { ClaimAnswer, ClaimRequest } from '../repository/job-repository.js';
import type { HeldSlots } from './held-slots.js';
import type { KnownKeys } from './known-keys.js';
import type { ClaimMarks } from './low-water-marks.js';
import type { Connected } from './queue-connection.js';
import type { SlotClaims } from './slot-claims.js';
import type { Slot } from './statements/slots.js';

/** What one job had. */
type Freed = readonly Slot[];

interface LastLook {
  readonly limits: JobLimits;
  /** It has left nothing that could have been claimed. */
  readonly isAll: boolean;
}

/**
 * The slots of jobs that have just ended here go to the next jobs of their keys, without a look at what is free:
 *
 *     job ends ──► its slots ──► lock those that nobody else has taken ──► claim the next jobs ──► write slots
 *
 * Only as long as the last look is believed, whatever has come since: then another one gives each key its turn, and each better priority.
 */
export class SlotHandOver {
  private readonly lastLooks = new Map<string, LastLook>();
  /** Types of which something has come since. */
  private readonly news = new Set<string>();

  constructor(
    private readonly held: HeldSlots,
    private readonly known: KnownKeys,
    private readonly claims: SlotClaims,
  ) {}

  looked(type: string, limits: JobLimits, { left }: ClaimAnswer): void {
    this.news.delete(type);
    this.lastLooks.set(type, { limits, isAll: left === 'held back' });
  }

  /** Whether a claim that finds nothing to hand over has to look at everything. */
  owesLook(type: string): boolean {
    return this.news.has(type);
  }

  /** `undefined`: there is nothing to hand over, or nobody to take it. */
  async claim(
    connected: Connected,
    request: ClaimRequest,
    limits: JobLimits,
    marks: ClaimMarks,
  ): Promise<ClaimAnswer | undefined> {
    const { type } = request;
    if (request.again !== true) this.news.add(type);
    const ended = this.held.take(type, request.limit);
    const freed = ended.filter((slots) => fit(slots, limits));
    const last = this.lastLooks.get(type);
    const heirs = this.known.heirs(type, performance.now());
    if (freed.length === 0 || heirs === undefined || !areSame(last?.limits, limits)) return undefined;
    const jobs = await this.claimIn(connected, request, limits, freed, heirs, marks);
    if (jobs.length === 0) return undefined;
    // A slot that has found no job of its key may be of use to another one.
    const areAllUsed = jobs.length === ended.length && jobs.length < request.limit;
    const isAll = areAllUsed && last?.isAll === true && !this.news.has(type);
    return { jobs, left: isAll ? 'held back' : 'some', freeIn: undefined };
  }

  private async claimIn(
    connected: Connected,
    request: ClaimRequest,
    limits: JobLimits,
    freed: readonly Freed[],
    heirs: ReadonlyMap<string, number>,
    marks: ClaimMarks,
  ): Promise<readonly ClaimedJob[]> {
    const slots = limits.concurrency === undefined ? [] : [ofKind(freed, 'type')];
    const shared = { most: freed.length, slots, isExceeded: false, freeIn: undefined };
    if (limits.key === undefined) {
      const priority = heirs.get('') ?? 0;
      return (await this.claims.ofLevel(connected, { ...request, priority }, shared, marks)).jobs;
    }
    const own = ofKind(freed, 'key');
    const wanted = [...heirs].map(([key, priority]) => ({
      key,
      priority,
      slots: own.filter((slot) => slot.key === key),
    }));
    const claimed = await this.claims.ofKeys(connected, request, shared, wanted, marks);
    // A slot was there, and no job for it.
    if ([...claimed.values()].some((jobs) => jobs.length === 0)) this.known.forget(request.type);
    return [...claimed.values()].flat();
  }
}

/** A lowered limit has to be looked at. What a rate has counted is not free when the job has ended. */
function areSame(before: JobLimits | undefined, { concurrency, key, rate }: JobLimits): boolean {
  return before?.concurrency === concurrency && before?.key?.limit === key?.limit && rate === undefined;
}

/** Whether a job had a slot of each limit of now, and none above it: limits may have changed while it ran. */
function fit(slots: Freed, { concurrency, key }: JobLimits): boolean {
  const has = (kind: Slot['kind'], most: number | undefined) =>
    most === undefined || slots.some((slot) => slot.kind === kind && slot.n <= most);
  return has('type', concurrency) && has('key', key?.limit);
}

function ofKind(freed: readonly Freed[], kind: Slot['kind']): Slot[] {
  return freed.flatMap((slots) => slots.filter((slot) => slot.kind === kind));
}
