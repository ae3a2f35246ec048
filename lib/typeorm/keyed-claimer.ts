import type { JobLimits } from '../job/job-limits.js';
import type { ClaimAnswer, ClaimRequest } from '../repository/job-repository.js';
import { addSlots } from './add-slots.js';
import { KeyRounds } from './key-rounds.js';
import { areAll, type KnownKeys, type NextKeys } from './known-keys.js';
import type { ClaimMarks } from './low-water-marks.js';
import type { Connected } from './queue-connection.js';
import type { ClaimedOfKeys, SlotClaims } from './slot-claims.js';
import { isExceeded, shareKeys, untilOthersHaveTheirs, type Share, type SharedSlots } from './slot-plan.js';
import { lookAtKeys, lookAtSlots, type KeyPage } from './statements/look-at-limits.js';
import type { WaitingKey } from './statements/waiting-keys.js';

/** Slots are scarce when at least one of so many is in use. */
const SCARCE = 2;
/** One that was taken so many milliseconds ago is, also when its job has just ended. */
const RECENT = 200;

interface Page extends KeyPage, NextKeys {
  /** In the order of their turns. */
  readonly keys: readonly WaitingKey[];
  /** What was found, in the order of the database; `undefined`: it was known. */
  readonly found: NextKeys | undefined;
}

/** Claims jobs of the keys that come next: each call looks at one page of them. */
export class KeyedClaimer {
  private readonly rounds = new KeyRounds();

  constructor(
    private readonly known: KnownKeys,
    private readonly claims: SlotClaims,
  ) {}

  /** Whether the next claim of the type would not have to look for keys. */
  knows({ type, again }: ClaimRequest): boolean {
    return again === true && this.known.next(type, this.rounds.below(type), performance.now()) !== undefined;
  }

  async claim(
    connected: Connected,
    request: ClaimRequest,
    limits: JobLimits,
    shared: SharedSlots,
    marks: ClaimMarks,
  ): Promise<ClaimAnswer> {
    const { type } = request;
    const began = performance.now();
    const page = await this.nextPage(connected, request, began);
    const shares = shareKeys(page.keys, page.slots, limits.key?.limit ?? 0, shared.most);
    const wanted = shares.flatMap(({ slots }) => slots);
    await addSlots(connected, type, wanted, page.slots);
    const claimed = await this.claims.ofKeys(connected, request, shared, shares, marks);
    const jobs = [...claimed.values()].flat();
    const mayHandOver = !shared.isExceeded && areScarce(page, limits, jobs.length);
    const now = performance.now();
    if (page.found !== undefined) this.known.looked(type, { ...page.found, mayHandOver, took: now - began }, now);
    const left = this.goOn(type, page, shares, claimed);
    if (jobs.length === request.limit) return { jobs, left: 'some', freeIn: undefined };
    if (jobs.length === shared.most) return { jobs, left: 'held back', freeIn: shared.freeIn };
    const wasLate = left === 'held back' && isShort(shares, claimed);
    return { jobs, left, freeIn: wasLate ? untilOthersHaveTheirs() : undefined };
  }

  private async nextPage({ database, tables }: Connected, { type, again }: ClaimRequest, now: number): Promise<Page> {
    const below = this.rounds.below(type);
    const known = again === true ? this.known.next(type, below, now) : undefined;
    const from = known === undefined ? this.known.placeOf(type, below) : known.below;
    const { keys, lowest, slots } = await database.run(() =>
      known === undefined ? lookAtKeys(tables, type, from, this.known.before(type)) : lookAtSlots(tables, type, known),
    );
    const next = { keys, lowest, below: from };
    const inTurn = areAll(next) ? this.rounds.inTurn(type, keys) : keys;
    return { ...next, slots, keys: inTurn, found: known === undefined ? next : undefined };
  }

  private goOn(type: string, page: Page, shares: readonly Share[], claimed: ClaimedOfKeys): ClaimAnswer['left'] {
    const of = (share: Share) => claimed.get(share.key)?.length ?? 0;
    const hasClaimed = shares.some((share) => of(share) > 0);
    const someShort = isShort(shares, claimed);
    // A slot was there, and no job for it.
    if (shares.some(({ key }) => claimed.get(key)?.length === 0)) this.known.forget(type);
    const isHeldBack = someShort || shares.some((share) => share.isAll && of(share) === share.slots.length);
    const seen = { hasClaimed, isHeldBack };
    const lastServed = shares.findLast(({ isAll }) => !isAll) && shares.findLast(({ slots }) => slots.length > 0);
    if (lastServed !== undefined) return this.rounds.wentTo(type, lastServed.key, seen);
    if (areAll(page)) return this.rounds.ofAll(type, seen, hasClaimed && someShort);
    if (page.lowest !== undefined) return this.rounds.wentTo(type, page.lowest, seen);
    return this.rounds.ended(type, seen, hasClaimed && someShort);
  }
}

/** Otherwise it is room in the processes that jobs wait for, or the limit of the type, and each key has its turn at it. */
function areScarce({ keys, slots }: KeyPage, { key, concurrency = Infinity }: JobLimits, taken: number): boolean {
  const limit = key?.limit ?? 0;
  const inUse = slots.filter(({ freeIn, age }) => freeIn !== 0 || age < RECENT).length + taken;
  return !isExceeded(slots, limit) && keys.length * limit <= Math.min(SCARCE * inUse, concurrency);
}

/** Somebody else has taken slots or jobs of a key, or only worse priorities are left. */
function isShort(shares: readonly Share[], claimed: ClaimedOfKeys): boolean {
  return shares.some(({ key, slots }) => (claimed.get(key)?.length ?? 0) < slots.length);
}
