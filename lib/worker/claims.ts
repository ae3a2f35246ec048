import type { ClaimHome } from '../completion/claim-home.js';
import type { JobToken } from '../job/job.js';
import type { HeldClaim, NotedJob } from '../repository/job-repository.js';
import type { ActiveJob } from './active-job.js';
import type { JobBuffer } from './job-buffer.js';
import type { Loners } from './loners.js';
import type { Slots } from './slots.js';

/** All claims that are in this process, wherever in it they are. */
export class Claims {
  constructor(
    private readonly slots: Slots,
    private readonly buffer: JobBuffer,
    private readonly loners: Loners,
  ) {}

  from(home: ClaimHome): ActiveJob[] {
    return [...this.slots.running, ...this.buffer.jobs, ...this.loners.jobs].filter((active) => active.home === home);
  }

  has(home: ClaimHome, { id, fence }: JobToken): boolean {
    return this.from(home).some(({ job }) => job.id === id && job.fence === fence);
  }

  /** Those that may still be in the database. */
  held(home: ClaimHome): HeldClaim[] {
    return this.from(home)
      .filter(isHeld)
      .map(({ job: { id, fence }, isManual, startedAt }) => ({
        id,
        fence,
        manual: isManual && startedAt !== undefined,
      }));
  }

  /** They are over in the database; all of them, unless it is said which. */
  lose(home: ClaimHome, tokens?: readonly JobToken[]): void {
    if (tokens?.length === 0) return;
    const lost = tokens && new Set(tokens.map(keyOf));
    for (const active of this.from(home)) {
      if ((lost !== undefined && !lost.has(keyOf(active.job))) || !isHeld(active)) continue;
      this.forget(active);
      active.abandon('taken away');
    }
  }

  /** The node is dead: other nodes have its jobs. Answers how many were running. */
  abandon(home: ClaimHome): number {
    const running = this.slots.running.filter((active) => active.home === home && !active.isAbandoned);
    for (const active of this.from(home)) this.forget(active);
    for (const active of running) active.abandon('node found dead');
    return running.length;
  }

  /** What is new about those that run. */
  takeNotes(home: ClaimHome): NotedJob[] {
    return this.slots.running.flatMap(({ job, notes, isAbandoned, home: own }) => {
      const taken = isAbandoned || own !== home ? undefined : notes.take();
      return taken === undefined ? [] : [{ id: job.id, fence: job.fence, notes: taken }];
    });
  }

  /** What has not started will not. */
  private forget(active: ActiveJob): void {
    this.buffer.remove(active);
    this.loners.remove(active);
  }
}

/** Whether its claim may still be in the database. */
export function isHeld({ isAbandoned, completion }: ActiveJob): boolean {
  return !isAbandoned && completion === undefined;
}

function keyOf({ id, fence }: JobToken): string {
  return `${id}:${fence}`;
}
