import type { Command } from 'commander';
import { messageOf } from '../../support/message-of.js';
import type { JobCount } from '../../repository/job-repository.js';
import { withSession, type SessionTools } from '../action.js';
import { filterOptions, readFilter, type FilterOptions } from '../filter-options.js';
import { withoutData } from '../job-view.js';
import { oneLine, span } from '../text.js';
import { readInteger } from '../values.js';

interface ListOptions extends FilterOptions {
  readonly limit?: number;
  readonly after?: string;
}

const STATES = ['scheduled', 'waiting', 'running', 'succeeded', 'failed', 'cancelled'] as const;

export function inspectCommands(program: Command): void {
  program
    .command('status')
    .summary('how many jobs there are, and what is amiss')
    .description('Shows how many jobs of each type are in each state, what is paused or nobody runs, and the nodes.')
    .action(withSession(status));
  filterOptions(
    program.command('list').summary('find jobs').description('Finds jobs, the newest first. Payloads are not shown.'),
  )
    .option('--limit <n>', 'how many at most: 1 to 1,000, default 100', readInteger)
    .option('--after <token>', 'the next page: the token that the last one ended with')
    .action(withSession(list));
  program
    .command('nodes')
    .summary('the processes that run jobs')
    .description('Shows the nodes of the service: the living ones first, then those that ended within a day.')
    .action(withSession(nodes));
  program
    .command('locks')
    .summary('who holds which lock')
    .description('Shows the locks of the service, with holder and fence.')
    .action(withSession(locks));
}

async function status({ queue, inspector, settings, output }: SessionTools): Promise<void> {
  const { counts, uncounted } = await countAll(queue);
  const [oldest, paused, unhandled] = [
    await inspector.oldestDue(),
    await inspector.pausedTypes(),
    await inspector.unhandledTypes(),
  ];
  const all = await inspector.nodes();
  const known = [...counts, ...(uncounted === undefined ? [] : oldest)].map(({ type }) => type);
  const types = [...new Set([...known, ...paused])].sort();
  const rows = types.map((type) => [
    type,
    ...STATES.map((state) => (uncounted === undefined ? countOf(counts, type, state) : undefined)),
    oldest.find((each) => each.type === type),
  ]);
  const facts = { service: settings.service, counts, uncounted, oldestDue: oldest, paused, unhandled, nodes: all };
  output.answer(facts, () => {
    const titles = ['TYPE', ...STATES.map((state) => state.toUpperCase()), 'OLDEST DUE'];
    const cells = rows.map((row) =>
      row.map((cell) => (typeof cell === 'object' ? `${span(cell.age)} (job ${cell.id})` : cell)),
    );
    const alive = all.filter(({ state }) => state === 'alive').length;
    return [
      rows.length === 0 && uncounted === undefined
        ? `There are no jobs of ${settings.service}.`
        : output.table(titles, cells),
      '',
      ...(uncounted === undefined
        ? []
        : [output.paint('yellow', `the jobs could not be counted: ${oneLine(uncounted)}`)]),
      `${alive} living nodes${all.length > alive ? `, ${all.length - alive} others` : ''}`,
      ...(paused.length === 0 ? [] : [output.paint('yellow', `paused: ${paused.map(oneLine).join(', ')}`)]),
      ...(unhandled.length === 0
        ? []
        : [output.paint('red', `waiting, and no living node runs them: ${unhandled.map(oneLine).join(', ')}`)]),
    ].join('\n');
  });
}

/** Among many millions it takes longer than a statement may: what else is known is told without. */
async function countAll(queue: SessionTools['queue']): Promise<{ counts: JobCount[]; uncounted?: string }> {
  try {
    return { counts: await queue.counts() };
  } catch (error) {
    return { counts: [], uncounted: messageOf(error) };
  }
}

function countOf(counts: readonly JobCount[], type: string, state: string): number {
  return counts.find((each) => each.type === type && each.state === state)?.count ?? 0;
}

async function list({ queue, output }: SessionTools, { limit, after, ...filter }: ListOptions): Promise<void> {
  const page = { ...(limit === undefined ? {} : { limit }), ...(after === undefined ? {} : { after }) };
  const { jobs, next } = await queue.find(readFilter(filter), page);
  const titles = ['ID', 'TYPE', 'STATE', 'PRIORITY', 'DUE', 'RETRIES', 'KEY', 'REFERENCE'];
  const rows = jobs.map((job) => [
    job.id,
    job.type,
    job.state,
    job.priority,
    job.dueAt,
    job.retries,
    job.key,
    job.reference,
  ]);
  output.answer(
    { jobs: jobs.map(withoutData), next },
    () =>
      [
        jobs.length === 0
          ? 'No job matches.'
          : output.table(titles, rows, (text, title) => (title === 'STATE' ? output.state(text) : text)),
        ...(next === undefined ? [] : ['', `more: --after ${next}`]),
      ].join('\n'),
    () => jobs.map(({ id }) => id).join('\n'),
  );
}

async function nodes({ inspector, output }: SessionTools): Promise<void> {
  const found = await inspector.nodes();
  const titles = ['NODE', 'STATE', 'BEAT', 'REGISTERED', 'RUNNING', 'TYPES'];
  const rows = found.map((node) => [
    node.name,
    node.state,
    node.beatAt,
    node.registeredAt,
    `${node.running}/${node.concurrency}`,
    node.types.map(({ type, running, concurrency }) => `${type} ${running}/${concurrency}`).join(', '),
  ]);
  output.answer(found, () => (found.length === 0 ? 'There are no nodes.' : output.table(titles, rows)));
}

async function locks({ inspector, output }: SessionTools): Promise<void> {
  const found = await inspector.locks();
  const titles = ['LOCK', 'HELD', 'OWNER', 'FENCE', 'SINCE', 'UNTIL'];
  const rows = found.map(({ name, held, owner, fence, lockedAt, lockedUntil }) => [
    name,
    held ? 'yes' : 'no',
    owner,
    fence,
    lockedAt,
    lockedUntil,
  ]);
  output.answer(found, () => (found.length === 0 ? 'There are no locks.' : output.table(titles, rows)));
}
