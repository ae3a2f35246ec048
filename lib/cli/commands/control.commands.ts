import type { Command } from 'commander';
import { UsageError } from '../../errors/usage.error.js';
import { inSession, withSession, withTools, type Tools } from '../action.js';
import { filterOptions, readFilter, type FilterOptions } from '../filter-options.js';
import { Progress } from '../progress.js';

interface RetryOptions extends FilterOptions {
  readonly all?: boolean;
}

export function controlCommands(program: Command): void {
  filterOptions(
    program
      .command('retry')
      .argument('[id]', 'the job')
      .summary('run a failed or cancelled job again')
      .description('Runs a failed or cancelled job again, now, with all its retries; or all that match a filter.')
      .option('--all', 'all failed jobs that match; cancelled ones with --state cancelled'),
  ).action(withTools(retry));
  program
    .command('cancel')
    .argument('<id>', 'the job')
    .description('Ends a job for good, also while it runs.')
    .action(
      withSession(async ({ queue, output }, id: string) => {
        await queue.cancel(id);
        output.done({ id, cancelled: true }, `Job ${id} is cancelled.`);
      }),
    );
  program
    .command('run-now')
    .argument('<id>', 'the job')
    .description('Lets a job that waits for its time run now.')
    .action(
      withSession(async ({ queue, output }, id: string) => {
        await queue.runNow(id);
        output.done({ id, due: true }, `Job ${id} is due.`);
      }),
    );
  pauseCommands(program);
}

function pauseCommands(program: Command): void {
  program
    .command('pause')
    .argument('<type>', 'the job type')
    .description('Starts no more jobs of a type, on any node; running ones go on.')
    .action(
      withSession(async ({ queue, output }, type: string) => {
        await queue.pause(type);
        output.done({ type, paused: true }, `${type} is paused.`);
      }),
    );
  program
    .command('resume')
    .argument('<type>', 'the job type')
    .description('Starts jobs of a type again.')
    .action(
      withSession(async ({ queue, output }, type: string) => {
        await queue.resume(type);
        output.done({ type, paused: false }, `${type} goes on.`);
      }),
    );
}

async function retry(tools: Tools, id: string | undefined, { all = false, ...given }: RetryOptions): Promise<void> {
  const hasFilter = Object.keys(given).length > 0;
  if (id !== undefined && (all || hasFilter))
    throw new UsageError('retry takes an id or a filter, not both', id, 'Leave one of them out.');
  // Without a word of it, a forgotten id would retry everything.
  if (id === undefined && !all) throw new UsageError('retry needs an id', id, 'Give a job id, or --all with a filter.');
  await inSession(tools, async ({ queue, output }) => {
    if (id === undefined) {
      const retried = await retryAll(queue, output, given);
      output.done({ retried }, `${retried} ${retried === 1 ? 'job runs' : 'jobs run'} again.`);
    } else {
      await queue.retry(id);
      output.done({ id, retried: 1 }, `Job ${id} runs again.`);
    }
  });
}

async function retryAll(
  queue: Parameters<Parameters<typeof inSession>[1]>[0]['queue'],
  output: Tools['output'],
  filter: FilterOptions,
): Promise<number> {
  const progress = new Progress(output, 'retried');
  const events = queue.events$.subscribe((event) => {
    if (event.name === 'retry.progress') progress.update(event.retried);
  });
  try {
    return await queue.retry(readFilter(filter));
  } finally {
    events.unsubscribe();
    progress.stop();
  }
}
