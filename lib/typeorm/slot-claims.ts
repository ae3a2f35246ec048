import type { ClaimedJob } from '../job/job.js';
import type { ClaimRequest } from '../repository/job-repository.js';
import type { HeldSlots } from './held-slots.js';
import type { ClaimMarks } from './low-water-marks.js';
import type { Connected } from './queue-connection.js';
import type { SharedSlots } from './slot-plan.js';
import { claimAtOnce } from './statements/claim-at-once.js';
import { claimKeyed, claimUnkeyed, type ClaimedInSlots, type Stretch } from './statements/claim-limited.js';

/** The jobs of each key. */
export type ClaimedOfKeys = ReadonlyMap<string, readonly ClaimedJob[]>;

/** What a claim wants of a key: its best jobs, in these slots. */
type Wanted = Omit<Stretch, 'from'>;

/** Claims jobs in slots that are thought to be free, each claim in one transaction, and remembers which slots they have got. */
export class SlotClaims {
  constructor(private readonly held: HeldSlots) {}

  async ofLevel(
    { database, tables }: Connected,
    request: ClaimRequest,
    shared: SharedSlots,
    marks: ClaimMarks,
  ): Promise<ClaimedInSlots> {
    const from = marks.from(request, performance.now());
    const claimed = await database.transaction(() => claimUnkeyed(tables, request, shared, from));
    marks.advance(request, claimed.jobs, claimed.slots);
    this.held.took(request.type, claimed.taken);
    return claimed;
  }

  async ofKeys(
    { database, tables }: Connected,
    request: ClaimRequest,
    shared: SharedSlots,
    wanted: readonly Wanted[],
    marks: ClaimMarks,
  ): Promise<ClaimedOfKeys> {
    const { type } = request;
    const now = performance.now();
    const stretches = wanted
      .filter(({ slots }) => slots.length > 0)
      .map((each) => ({ ...each, from: marks.from({ type, ...each }, now) }));
    if (stretches.length === 0) return new Map();
    const { ofKey, taken } = tables.dialect.writesInWith
      ? await database.run(() => claimAtOnce(tables, request, shared, stretches))
      : await database.transaction(() => claimKeyed(tables, request, shared, stretches));
    for (const { key, priority, slots } of stretches)
      marks.advance({ type, priority, key }, ofKey.get(key) ?? [], slots.length);
    this.held.took(type, taken);
    return ofKey;
  }
}
