import type { EntityManager } from 'typeorm';
import { ClaimHome } from '../completion/claim-home.js';
import { parsePayload } from '../completion/job-table.home.js';
import type { QueueEvents } from '../events/queue-events.js';
import type { ClaimedJob } from '../job/job.js';
import type { Settlement } from '../job/settlement.js';
import type { JobRepository } from '../repository/job-repository.js';
import { settleRows } from './memory/end-rows.js';
import type { MemoryStore } from './memory/memory-store.js';

/** Jobs in memory: what becomes of them is written at once. */
export class MemoryHome extends ClaimHome {
  readonly isEmpty = true;
  readonly keepsSteps = true;

  constructor(
    private readonly store: MemoryStore,
    private readonly repository: JobRepository,
    private readonly events: QueueEvents,
    private readonly node: () => string,
  ) {
    super();
  }

  payloadOf(job: ClaimedJob): unknown {
    return parsePayload(job);
  }

  /** Always written down, so that a crash is in the history and can be held against the job. */
  starting(job: ClaimedJob): boolean {
    const row = this.store.held(job);
    if (row !== undefined) row.started_at = this.store.now;
    return row !== undefined;
  }

  ended(): void {}

  completed(): void {}

  settle(settlement: Settlement): void {
    if (settleRows(this.store, [settlement], this.node()).length === 0) return;
    const { id, type } = settlement;
    this.events.emit({ name: 'job.lost', job: { id, type } });
  }

  settleIn(manager: EntityManager, settlement: Settlement): Promise<boolean> {
    return this.repository.settleIn(manager, settlement, this.node());
  }
}
