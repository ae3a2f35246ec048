import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * The reason of `job.signal` when this node may no longer run the job: its result would be dropped.
 *
 * @publicApi
 */
export class LeaseLostError extends PersistentQueueError {
  constructor(readonly why: 'node found dead' | 'shutdown' | 'taken away') {
    super(TEXTS[why]);
  }
}

const TEXTS = {
  'node found dead':
    "This node was found dead: its jobs have been given to other nodes and this attempt's result will be dropped. Stop the work.",
  shutdown: 'This node is shutting down: the job has been released and another node will run it. Stop the work.',
  'taken away': 'The job was cancelled or given to another node: this result will be dropped. Stop the work.',
} as const;
