import { AsyncResource } from 'node:async_hooks';
import type { EnqueuedJob, NewJob } from '../job/job.js';

/** More would keep those that come next waiting for too long. */
const LARGEST_BATCH = 500;
/** While one batch waits for the disk, another one can be written. */
const MOST_UNDER_WAY = 2;

interface Caller {
  readonly job: NewJob;
  readonly resolve: (enqueued: EnqueuedJob) => void;
  readonly reject: (error: unknown) => void;
}

/** Writes all of the jobs or none, and answers in their order. */
type WriteAll = (jobs: readonly NewJob[]) => Promise<readonly EnqueuedJob[]>;

/**
 * Many callers, one commit: what is enqueued while others are being written goes together in one statement. Nobody waits for a
 * timer, and each caller is answered after the commit of its row.
 *
 *     insert ──► waiting ──► a batch of up to 500 ──► committed: each has its id
 *                               │ failed
 *                               ├─ certainly rolled back ──► by halves, until only those fail that are at fault
 *                               └─ perhaps committed ──────► everybody is told: nothing is written twice
 */
export class InsertMerger {
  private readonly waiting: Caller[] = [];
  private underWay = 0;
  /** In nobody's async context: that of the first caller would have the others' jobs in its trace, and in its transaction of a library. */
  private readonly nextOfNobody = AsyncResource.bind(() => this.next());

  constructor(
    private readonly write: WriteAll,
    /** Whether, after this error, the rows may have been committed all the same. */
    private readonly isUncertain: (error: unknown) => boolean,
  ) {}

  insert(job: NewJob): Promise<EnqueuedJob> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ job, resolve, reject });
      // Whoever else enqueues before the event loop goes on comes along.
      if (this.underWay < MOST_UNDER_WAY && this.waiting.length === 1) queueMicrotask(this.nextOfNobody);
    });
  }

  private next(): void {
    if (this.underWay >= MOST_UNDER_WAY || this.waiting.length === 0) return;
    this.underWay++;
    void this.insertAll(this.waiting.splice(0, LARGEST_BATCH)).finally(() => {
      this.underWay--;
      this.nextOfNobody();
    });
    // What did not fit.
    this.next();
  }

  /** Never throws: each caller has its own answer. */
  private async insertAll(callers: readonly Caller[]): Promise<void> {
    try {
      const enqueued = await this.write(callers.map(({ job }) => job));
      for (const [index, { resolve }] of callers.entries()) resolve(enqueued[index] as EnqueuedJob);
    } catch (error) {
      if (callers.length === 1 || this.isUncertain(error)) for (const { reject } of callers) reject(error);
      else await this.insertHalves(callers);
    }
  }

  private async insertHalves(callers: readonly Caller[]): Promise<void> {
    const half = Math.ceil(callers.length / 2);
    await this.insertAll(callers.slice(0, half));
    await this.insertAll(callers.slice(half));
  }
}
