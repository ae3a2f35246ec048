import type { EntityManager } from 'typeorm';
import type { ClaimedJob } from '../job/job.js';
import type { Settlement } from '../job/settlement.js';

/** Where claims come from, and where what becomes of them goes: our own table, or one of the application's. */
export abstract class ClaimHome {
  /** Ends that are known here and not in the database yet: none. */
  abstract readonly isEmpty: boolean;
  /** Whether there is a place for steps of its jobs. */
  abstract readonly keepsSteps: boolean;

  /** What the handler gets; a `PermanentJobError` when it cannot be given. */
  abstract payloadOf(job: ClaimedJob): unknown;

  /** The handler is about to be called. `false`: the claim is over. */
  abstract starting(job: ClaimedJob): boolean | Promise<boolean>;

  /** The handler has settled. */
  abstract ended(job: ClaimedJob): void;

  /** The claim has been ended by `settleIn()`, and that is committed. */
  abstract completed(settlement: Settlement): void;

  abstract settle(settlement: Settlement): void;

  /** Ends the claim inside the caller's transaction. `false`: it is over, and the transaction must be rolled back. */
  abstract settleIn(manager: EntityManager, settlement: Settlement): Promise<boolean>;
}
