import type { JobManager } from '../../repository/job-repository.js';
import { AfterCommit } from '../../queue/after-commit.js';
import type { WakeSignal } from '../../signal/wake-signal.js';
import type { Units } from './units.js';

/** Tells after the commit without timers. */
export class MemoryAfterCommit extends AfterCommit {
  constructor(
    private readonly units: Units,
    wakeSignal: WakeSignal,
  ) {
    super(wakeSignal);
  }

  override tell(manager: JobManager | undefined, news: () => void): void {
    void this.units.join(manager, { after: news });
  }

  override stop(): void {
    super.stop();
    this.units.stop();
  }

  /** Nothing polls here that a hint could wake. */
  protected override guess(): void {}
}
