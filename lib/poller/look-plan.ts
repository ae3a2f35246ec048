import type { ResolvedOptions } from '../options/resolved-options.js';

/** How often to ask about schedules: all of them are read for it, and an edit may take 5 s. */
const SCHEDULES_EVERY = 1_000;

/** What a look asks for besides work: each of it costs, and is needed less often. */
export class LookPlan {
  private readonly askedAt = new Map<'sweep' | 'claims' | 'schedules', number>();

  constructor(private readonly options: ResolvedOptions) {}

  /** Whether to look for the dead. */
  sweep(now: number): boolean {
    return this.isTime('sweep', this.options.leaseBeat / 2, now);
  }

  /** Whether to ask which of the running jobs have been taken away, and what was claimed without our knowledge. */
  claims(now: number): boolean {
    return this.isTime('claims', this.options.leaseBeat / 2, now);
  }

  schedules(now: number): boolean {
    return this.options.roles.has('schedule') && this.isTime('schedules', SCHEDULES_EVERY, now);
  }

  private isTime(what: 'sweep' | 'claims' | 'schedules', every: number, now: number): boolean {
    if (now - (this.askedAt.get(what) ?? -Infinity) < every) return false;
    this.askedAt.set(what, now);
    return true;
  }
}
