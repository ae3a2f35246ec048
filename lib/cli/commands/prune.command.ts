import type { Command } from 'commander';
import { UsageError } from '../../errors/usage.error.js';
import type { JobFilter } from '../../job/job-filter.js';
import { LONGEST_DURATION } from '../../support/duration.js';
import { inSession, withTools, type SessionTools, type Tools } from '../action.js';
import { Progress } from '../progress.js';
import { collect, readSpan } from '../values.js';

interface PruneOptions {
  readonly olderThan?: number;
  readonly type?: string;
  readonly state?: readonly string[];
  readonly history?: number;
}

const BATCH = 500;

export function pruneCommand(program: Command): void {
  program
    .command('prune')
    .summary('delete jobs that have ended')
    .description(
      'Deletes jobs whose retention has passed, as nodes do by themselves; or with --older-than jobs that have ended, whatever their retention.',
    )
    .option('--older-than <span>', 'that ended so long ago: 7d, 12h', readSpan)
    .option('--type <type>', 'with --older-than: of this job type')
    .option('--state <state>', 'with --older-than: succeeded, failed or cancelled; several with commas', collect)
    .option(
      '--history <span>',
      'without --older-than: also attempts that ended so long ago, as retention.history says',
      readSpan,
    )
    .action(withTools(prune));
}

async function prune(tools: Tools, { olderThan, type, state, history }: PruneOptions): Promise<void> {
  if (olderThan === undefined) {
    if ((type ?? state) !== undefined)
      throw new UsageError('--type and --state go with --older-than', type ?? state, 'Give --older-than, such as 7d.');
    // The application's retention.history is not known here: none is deleted unless somebody says how much.
    return inSession(tools, pruneExpired, { retention: { history: history ?? LONGEST_DURATION } });
  }
  if (history !== undefined)
    throw new UsageError(
      '--history does not go with --older-than',
      history,
      'Leave it out: the history goes with its jobs.',
    );
  const ended = {
    ...(type === undefined ? {} : { type }),
    ...(state === undefined ? {} : { state: readEnded(state) }),
  };
  const finishedUntil = new Date(Date.now() - olderThan);
  await inSession(tools, (session) => remove(session, { ...ended, finishedUntil }));
}

async function pruneExpired({ repository, output }: SessionTools): Promise<void> {
  const progress = new Progress(output, 'deleted');
  let deleted = 0;
  try {
    for (let batch = BATCH; batch >= BATCH;) {
      batch = await repository.prune(BATCH);
      progress.update((deleted += batch));
    }
  } finally {
    progress.stop();
  }
  output.done({ pruned: true }, 'Everything whose retention has passed is deleted.');
}

async function remove({ queue, output }: SessionTools, filter: JobFilter & { finishedUntil: Date }): Promise<void> {
  const progress = new Progress(output, 'deleted');
  const events = queue.events$.subscribe((event) => {
    if (event.name === 'remove.progress') progress.update(event.removed);
  });
  try {
    const removed = await queue.remove(filter);
    progress.stop();
    output.done({ removed }, `${removed} ${removed === 1 ? 'job is' : 'jobs are'} deleted.`);
  } finally {
    events.unsubscribe();
    progress.stop();
  }
}

/** An open job is never deleted: whoever asks for it means something else. */
function readEnded(states: readonly string[]): ('succeeded' | 'failed' | 'cancelled')[] {
  return states.map((state) => {
    if (state === 'succeeded' || state === 'failed' || state === 'cancelled') return state;
    throw new UsageError(
      '--state is no state in which jobs are deleted',
      state,
      'Give succeeded, failed or cancelled.',
    );
  });
}
