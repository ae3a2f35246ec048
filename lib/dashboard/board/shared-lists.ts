import type { JobState } from '../../job/job-state.js';
import type { Job } from '../../job/job.js';
import type { DashboardReads } from '../dashboard-reads.js';
import type { JobPages } from './job-pages.js';
import { SharedAnswer } from './shared-answer.js';

/** A fifth of one connection's time at most, for each of the lists that somebody has open. */
const REST = 4;
/** Each may have a thousand payloads: those that were looked at last are kept. */
const MOST = 4;

/** The boards that are open ask for their list of jobs every few seconds: one question for all who see the same. */
export class SharedLists {
  private readonly lists = new Map<string, SharedAnswer<Job[]>>();

  constructor(
    private readonly pages: JobPages,
    private readonly reads: DashboardReads,
  ) {}

  get(type: string, state: readonly JobState[], start: number, end: number): Promise<Job[]> {
    const key = JSON.stringify([type, state, start, end]);
    const list = this.lists.get(key) ?? this.listOf(type, state, start, end);
    this.lists.delete(key);
    this.lists.set(key, list);
    const oldest = this.lists.keys().next();
    if (this.lists.size > MOST && oldest.done !== true) this.lists.delete(oldest.value);
    return list.get();
  }

  outdate(): void {
    for (const list of this.lists.values()) list.outdate();
  }

  private listOf(type: string, state: readonly JobState[], start: number, end: number): SharedAnswer<Job[]> {
    return new SharedAnswer(() => this.pages.between({ type, state }, start, end), this.reads.inTurn, REST);
  }
}
