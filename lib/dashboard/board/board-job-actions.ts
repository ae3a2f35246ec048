import type { QueueJobOptions } from '@bull-board/api/typings/app';
import { Injectable } from '@nestjs/common';
import { InvalidJobError } from '../../errors/invalid-job.error.js';
import { JobNotFoundError } from '../../errors/job-not-found.error.js';
import { JobStateError } from '../../errors/job-state.error.js';
import { UnsupportedActionError } from '../../errors/unsupported-action.error.js';
import type { Job } from '../../job/job.js';
import type { EnqueueOptions } from '../../queue/enqueue-options.js';
import { JobQueue } from '../../queue/job-queue.js';
import { isPlaceholder } from '../payload-view.js';
import { BoardFacts } from './board-facts.js';
import type { JobActions } from './board-job.js';
import { JobPages } from './job-pages.js';

/** Of one request: it answers when it is through. */
const MOST_PROMOTED = 10_000;

/** What the board does to single jobs. */
@Injectable()
export class BoardJobActions implements JobActions {
  constructor(
    private readonly queue: JobQueue,
    private readonly pages: JobPages,
    private readonly facts: BoardFacts,
  ) {}

  /** Answers its id. */
  async add(type: string, data: unknown, options: QueueJobOptions): Promise<string> {
    if (isPlaceholder(data))
      throw new InvalidJobError('payload', data, 'Write the payload: the one of that job was hidden.');
    const { id, created } = await this.queue.enqueue(type, data, readOptions(options));
    this.facts.outdate();
    if (created) return id;
    throw new InvalidJobError('key', Reflect.get(options, 'key'), `Job ${id} has it: give another, or leave it out.`);
  }

  async promote({ id }: Job): Promise<void> {
    await this.queue.runNow(id);
    this.facts.outdate();
  }

  async retry({ id }: Job): Promise<void> {
    await this.queue.retry(id);
    this.facts.outdate();
  }

  /**
   * One that has not begun is cancelled first: the board offers no other way to be rid of it. Its state is read anew: the one that was
   * shown may be seconds old, and a job that runs by now is not to be cancelled by this.
   */
  async remove({ id }: Job): Promise<void> {
    const state = (await this.queue.get(id))?.state;
    if (state === 'scheduled' || state === 'waiting') await this.queue.cancel(id);
    await this.queue.remove(id);
    this.facts.outdate();
  }

  async promoteAll(type: string): Promise<void> {
    const promoted = await this.pages.each({ type, state: 'scheduled' }, MOST_PROMOTED, ({ id }) =>
      this.promoteIfThere(id),
    );
    this.facts.outdate();
    if (promoted < MOST_PROMOTED) return;
    throw new UnsupportedActionError(
      'Promoting more jobs at once',
      promoted,
      'They are promoted; ask again for the rest.',
    );
  }

  /** In the meantime it may have started by itself. */
  private async promoteIfThere(id: string): Promise<void> {
    try {
      await this.queue.runNow(id);
    } catch (error) {
      if (!(error instanceof JobStateError || error instanceof JobNotFoundError)) throw error;
    }
  }
}

/** `attempts` is the board's word; all others are those of `enqueue()`, which refuses what it does not know. */
function readOptions(given: QueueJobOptions): EnqueueOptions {
  const { attempts, deadline, ...options } = given as QueueJobOptions & Record<string, unknown>;
  if ('manager' in options) throw new InvalidJobError('manager', options.manager, 'Leave it out: it is for code.');
  return {
    ...options,
    ...(attempts === undefined ? {} : { maxRetries: attempts - 1 }),
    ...(deadline === undefined ? {} : { deadline: new Date(deadline as string) }),
  };
}
