import { get, post, whyPage } from './api.js';
import { button, chip, duration, element, moment, section, table } from './elements.js';

const NODES = { alive: 'good', silent: 'warn', dead: 'bad', stopped: 'quiet' };
const SCHEDULES = { 'on time': 'good', late: 'bad', broken: 'bad', gone: 'quiet', disabled: 'quiet' };

/** What is there beside single jobs. */
export async function serviceView({ readOnly, act }) {
  const parts = ['types', 'due', 'nodes', 'locks', 'schedules'];
  const answers = await Promise.allSettled(parts.map((what) => get(what)));
  const [types, due, nodes, locks, schedules] = answers;
  // Without the oldest jobs the types still say what is paused.
  const oldest = due.status === 'fulfilled' ? due.value.due : undefined;
  return [
    section(
      'Types',
      shown(types, (answer) => typeTable(answer, oldest, readOnly ? undefined : act)),
    ),
    section('Nodes', shown(nodes, nodeTable)),
    section('Schedules', shown(schedules, scheduleTable)),
    section('Locks', shown(locks, lockTable)),
  ];
}

/** What could not be asked hides nothing but itself. */
function shown({ status, value, reason }, view) {
  return status === 'fulfilled' ? view(value) : element('p', { class: 'alert' }, reason.message);
}

function typeTable({ types }, due, act) {
  const oldest = new Map(due?.map((job) => [job.type, job]));
  const columns = [
    ['Type', ({ type }) => type],
    ['State', typeState],
    ['Running / limit', ({ running, concurrency }) => `${running} / ${concurrency}`],
    ['Oldest due job', ({ type }) => (due === undefined ? 'unknown' : dueJob(oldest.get(type)))],
  ];
  if (act !== undefined) columns.push(['Action', (type) => pauseButton(type, act)]);
  return table('Oldest due: the job of the type that has waited longest since it became due.', columns, types);
}

function typeState({ paused, unhandled, nodes }) {
  const parts = [];
  if (paused) parts.push(chip('paused', 'warn'));
  if (unhandled) parts.push(chip('jobs wait, and no living node runs them', 'bad'));
  if (nodes > 0) parts.push(chip(`on ${nodes} ${nodes === 1 ? 'node' : 'nodes'}`, 'good'));
  if (parts.length === 0) parts.push(chip('on no node', 'quiet'));
  return element('span', {}, ...parts.flatMap((part, index) => (index === 0 ? [part] : [', ', part])));
}

function dueJob(job) {
  if (job === undefined) return 'none';
  return element('span', {}, element('a', { href: whyPage(job.id) }, job.id), `, since ${duration(job.age)}`);
}

function pauseButton({ type, paused }, act) {
  const [title, verb, done] = paused ? ['Resume', 'resume', 'resumed'] : ['Pause', 'pause', 'paused'];
  const made = button(title, () => act(() => post('types', type, verb), `${type} is ${done}.`));
  made.setAttribute('aria-label', `${title} ${type}`);
  return made;
}

function nodeTable({ nodes, now }) {
  return table(
    'A node is one process. Dead and stopped ones are shown for a day.',
    [
      ['Node', ({ name }) => name],
      ['State', ({ state }) => chip(state, NODES[state])],
      ['Last beat', ({ beatAt }) => moment(beatAt, now)],
      ['Up since', ({ registeredAt }) => moment(registeredAt, now)],
      ['Running / limit', ({ running, concurrency }) => `${running} / ${concurrency}`],
      ['Types, running / limit', ({ types }) => listOf(types)],
    ],
    nodes,
  );
}

function listOf(types) {
  return types.map(({ type, running, concurrency }) => `${type} ${running} / ${concurrency}`).join(', ');
}

function scheduleTable({ schedules, now }) {
  return table(
    'Late: its time has passed and nobody has fired it, or no job of it has succeeded within its alertAfter.',
    [
      ['Schedule', ({ name }) => name],
      ['State', ({ state, broken }) => chip(broken ? `${state}: ${broken}` : state, SCHEDULES[state])],
      ['Spec', ({ spec, timeZone }) => `${spec} (${timeZone})`],
      ['Type', ({ type }) => type],
      ['Last', ({ lastFireAt }) => moment(lastFireAt, now)],
      ['Next', ({ nextFireAt }) => moment(nextFireAt, now)],
    ],
    schedules,
  );
}

function lockTable({ locks, now }) {
  return table(
    'Held: it has not run out and has not been released, by the database’s clock.',
    [
      ['Lock', ({ name }) => name],
      ['State', ({ held }) => (held ? chip('held', 'warn') : chip('free', 'quiet'))],
      ['Holder', ({ owner }) => owner],
      ['Fence', ({ fence }) => String(fence)],
      ['Since', ({ lockedAt }) => moment(lockedAt, now)],
      ['Until', ({ lockedUntil }) => moment(lockedUntil, now)],
    ],
    locks,
  );
}
