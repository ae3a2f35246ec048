import type { ClaimAnswer, ClaimRequest } from '../repository/job-repository.js';
import { addSlots } from './add-slots.js';
import { KeyRounds } from './key-rounds.js';
import type { KnownKeys } from './known-keys.js';
import type { ClaimMarks } from './low-water-marks.js';
import type { Connected } from './queue-connection.js';
import type { ClaimedOfKeys, SlotClaims } from './slot-claims.js';
import { shareKeys, untilOthersHaveTheirs, type Share, type SharedSlots } from './slot-plan.js';
import { lookAtKeys, type KeyPage } from './statements/look-at-limits.js';

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
    limit: number,
    shared: SharedSlots,
    marks: ClaimMarks,
  ): Promise<ClaimAnswer> {
    const { database, tables } = connected;
    const below = this.rounds.below(request.type);
    const now = performance.now();
    const known = request.again === true ? this.known.next(request.type, below, now) : undefined;
    const page = await database.run(() => lookAtKeys(tables, request.type, below, known));
    if (known === undefined) this.known.found(request.type, below, page, now, performance.now());
    const shares = shareKeys(page.keys, page.slots, limit, shared.most);
    await addSlots(
      connected,
      request.type,
      shares.flatMap(({ slots }) => slots),
      page.slots,
    );
    const claimed = await this.claims.ofKeys(connected, request, shared, shares, marks);
    const jobs = [...claimed.values()].flat();
    const left = this.goOn(request.type, page, shares, claimed);
    if (jobs.length === request.limit) return { jobs, left: 'some', freeIn: undefined };
    if (jobs.length === shared.most) return { jobs, left: 'held back', freeIn: shared.freeIn };
    const wasLate = left === 'held back' && isShort(shares, claimed);
    return { jobs, left, freeIn: wasLate ? untilOthersHaveTheirs() : undefined };
  }

  private goOn(type: string, page: KeyPage, shares: readonly Share[], claimed: ClaimedOfKeys): ClaimAnswer['left'] {
    const of = (share: Share) => claimed.get(share.key)?.length ?? 0;
    const hasClaimed = shares.some((share) => of(share) > 0);
    const someShort = isShort(shares, claimed);
    // A slot was there, and no job for it.
    if (shares.some(({ key }) => claimed.get(key)?.length === 0)) this.known.forget(type);
    const isHeldBack = someShort || shares.some((share) => share.isAll && of(share) === share.slots.length);
    const seen = { hasClaimed, isHeldBack };
    const lastServed = shares.findLast(({ isAll }) => !isAll) && shares.findLast(({ slots }) => slots.length > 0);
    if (lastServed !== undefined) return this.rounds.wentTo(type, lastServed.key, seen);
    if (page.lowest !== undefined) return this.rounds.wentTo(type, page.lowest, seen);
    return this.rounds.ended(type, seen, hasClaimed && someShort);
  }
}

/** Somebody else has taken slots or jobs of a key, or only worse priorities are left. */
function isShort(shares: readonly Share[], claimed: ClaimedOfKeys): boolean {
  return shares.some(({ key, slots }) => (claimed.get(key)?.length ?? 0) < slots.length);
}
