import type { Command } from 'commander';
import { JobNotFoundError } from '../../errors/job-not-found.error.js';
import type { Attempt } from '../../job/attempt.js';
import type { Job } from '../../job/job.js';
import type { JobSteps } from '../../job/step.js';
import type { JobLogLine } from '../../repository/job-repository.js';
import type { RecordedError } from '../../support/serialise-error.js';
import { withSession, type SessionTools } from '../action.js';
import { stepsWithoutData, withoutData } from '../job-view.js';
import type { Output } from '../output.js';
import { facts, json, lines, oneLine } from '../text.js';

interface ShowOptions {
  readonly payload?: boolean;
}

/** Everything that is known about one job. */
interface Story {
  readonly job: Job;
  readonly why: readonly string[];
  readonly attempts: readonly Attempt[];
  readonly steps: JobSteps;
  readonly log: readonly JobLogLine[];
}

export function showCommand(program: Command): void {
  program
    .command('show')
    .argument('<id>', 'the job')
    .summary('everything about one job')
    .description('Shows a job: why it is not running, its attempts with stacks, its steps and what it has logged.')
    .option('--payload', 'also its payload and result, and those of its steps')
    .action(withSession(show));
}

async function show(tools: SessionTools, id: string, { payload: withData = false }: ShowOptions): Promise<void> {
  const { output } = tools;
  const story = await read(tools, id);
  const { job, why, attempts, steps, log } = story;
  const value = withData ? story : { job: withoutData(job), why, attempts, steps: stepsWithoutData(steps), log };
  output.answer(value, () => [about(story, output), ...(withData ? data(story, output) : [])].join('\n\n'));
}

async function read({ queue, inspector }: SessionTools, id: string): Promise<Story> {
  const job = await queue.get(id);
  if (job === undefined) throw new JobNotFoundError(id);
  const { sentences: why } = await inspector.explain(id);
  const attempts = await queue.history(id);
  return { job, why, attempts, steps: await queue.steps(id), log: await queue.log(id) };
}

function about({ job, why, attempts, steps, log }: Story, output: Output): string {
  const sections = [
    `${output.heading(`job ${job.id}`)}  ${oneLine(job.type)}  ${output.state(job.state)}`,
    why.map((sentence) => lines(sentence)).join('\n'),
    facts({
      key: job.key,
      reference: job.reference,
      'concurrency key': job.concurrencyKey,
      trace: job.traceId,
      priority: job.priority,
      created: job.createdAt,
      due: job.dueAt,
      deadline: job.deadline,
      delivered: job.deliveredAt,
      finished: job.finishedAt,
      retries: job.retries,
      crashes: job.crashes,
      progress: job.progress === undefined ? undefined : JSON.stringify(job.progress),
    }),
    ...section(output, 'attempts', attempts.map(describeAttempt)),
    ...section(output, `steps (${steps.done} of ${steps.total} done)`, stepLines(steps)),
    ...section(
      output,
      'log',
      log.map(({ at, message }) => `${at.toISOString()}  ${oneLine(message)}`),
    ),
  ];
  return sections.filter((text) => text !== '').join('\n\n');
}

function section(output: Output, title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${output.heading(title)}\n${items.join('\n')}`];
}

function describeAttempt({ attempt, outcome, reason, node, startedAt, endedAt, error }: Attempt): string {
  const began = startedAt === undefined ? 'never began' : startedAt.toISOString();
  const why = reason === undefined ? '' : ` (${reason})`;
  const line = `${attempt}  ${outcome}${why}  ${began} – ${endedAt.toISOString()}  ${oneLine(node)}`;
  return error === undefined ? line : `${line}\n${describeError(error)}`;
}

/** The stack is kept without the message. */
function describeError({ name, message, stack, cause }: RecordedError): string {
  const text = lines([`${name}: ${message}`, ...(stack === undefined ? [] : [stack])].join('\n'), '    ');
  return cause === undefined ? text : `${text}\n    caused by\n${describeError(cause)}`;
}

function stepLines({ steps }: JobSteps): string[] {
  return steps.map(({ name, kind, state, attempts, endedAt, error }) => {
    const ended = endedAt === undefined ? '' : `  ${endedAt.toISOString()}`;
    const failure = error === undefined ? '' : `\n${describeError(error)}`;
    return `${oneLine(name)}  ${kind}  ${state}  ${attempts} attempts${ended}${failure}`;
  });
}

function data({ job, steps }: Story, output: Output): string[] {
  const results = steps.steps.filter(({ result }) => result !== undefined);
  return [
    ...section(output, 'payload', [json(job.payload)]),
    ...section(output, 'result', job.result === undefined ? [] : [json(job.result)]),
    ...section(output, 'context', steps.context === undefined ? [] : [json(steps.context)]),
    ...results.flatMap(({ name, result }) => section(output, `result of ${oneLine(name)}`, [json(result)])),
  ];
}
