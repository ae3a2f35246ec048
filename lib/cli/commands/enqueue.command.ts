import { Option, type Command } from 'commander';
import { UsageError } from '../../errors/usage.error.js';
import type { EnqueuedJob, KeyScope } from '../../job/job.js';
import type { JobRequest } from '../../queue/enqueue-options.js';
import { inSession, withTools, type SessionTools, type Tools } from '../action.js';
import { Progress } from '../progress.js';
import { readJsonOf, readLines, readPayload } from '../read-payload.js';
import { readInteger, readSpan, readTime } from '../values.js';

interface EnqueueCommandOptions {
  readonly file?: string;
  readonly lines?: string;
  readonly key?: string;
  readonly keyScope?: KeyScope;
  readonly delay?: number;
  readonly at?: Date;
  readonly priority?: number;
  readonly reference?: string;
}

/** Of one job: each of the `--lines` says its own. */
const OF_ONE = ['file', 'key', 'keyScope', 'delay', 'at', 'priority', 'reference'];

export function enqueueCommand(program: Command): void {
  program
    .command('enqueue')
    .argument('<type>', 'the job type')
    .argument('[payload]', 'JSON, or - to read it from stdin; null without it')
    .summary('store a job, or many')
    .description('Stores a job, or many. A key that is taken is no error: the answer is the first job then.')
    .option('--file <path>', 'read the payload from a file')
    .option('--key <key>', 'while a job of the type has this key, no second one is stored')
    .addOption(
      new Option('--key-scope <scope>', 'for how long it has the key; give forever for a multi-step job').choices([
        'row',
        'open',
        'forever',
      ]),
    )
    .option('--delay <span>', 'starts at the earliest after this: 90s, 3m, 2h', readSpan)
    .addOption(
      new Option('--at <time>', 'starts at the earliest at this time: 2026-11-21T03:00:00Z')
        .argParser(readTime)
        .conflicts('delay'),
    )
    .option('--priority <0-9>', 'larger first', readInteger)
    .option('--reference <reference>', 'a business number to search by')
    .addOption(
      new Option(
        '--lines <path>',
        'many jobs, all or none: a file (- for stdin) with a JSON object in each line, {"payload": …} with key, delay, at, priority, reference and so on',
      ).conflicts(OF_ONE),
    )
    .action(withTools(enqueue));
}

async function enqueue(
  tools: Tools,
  type: string,
  payload: string | undefined,
  { file, lines, ...options }: EnqueueCommandOptions,
): Promise<void> {
  if (payload !== undefined && (file ?? lines) !== undefined)
    throw new UsageError('The payload is given twice', file ?? lines, 'Leave out the argument or the option.');
  if (lines !== undefined) {
    const requests = await readLines(lines);
    return inSession(tools, (session) => enqueueMany(session, type, requests));
  }
  // Read before the database is asked: it may come from a person who types.
  const request: JobRequest = { ...options, payload: readJsonOf('The payload', await readPayload(payload, file)) };
  await inSession(tools, (session) => enqueueOne(session, type, request));
}

async function enqueueOne({ queue, output }: SessionTools, type: string, request: JobRequest): Promise<void> {
  const [job] = await queue.enqueueMany(type, [request]);
  const { id, created } = job as EnqueuedJob;
  const text = created ? `Job ${id} is enqueued.` : `Nothing was enqueued: job ${id} has this key.`;
  output.answer(
    { id, created },
    () => text,
    () => id,
  );
}

async function enqueueMany({ queue, output }: SessionTools, type: string, requests: JobRequest[]): Promise<void> {
  const progress = new Progress(output, 'enqueued', requests.length);
  const events = queue.events$.subscribe((event) => {
    if (event.name === 'enqueue.progress') progress.update(event.done);
  });
  try {
    const jobs = await queue.enqueueMany(type, requests);
    progress.stop();
    const created = jobs.filter((job) => job.created).length;
    output.answer(
      jobs,
      () => `${created} jobs are enqueued, ${jobs.length - created} were there already.`,
      () => jobs.map(({ id }) => id).join('\n'),
    );
  } finally {
    events.unsubscribe();
    progress.stop();
  }
}
