import { get, onBoard, post, whyPage } from './api.js';
import { button, carefulButton, chip, duration, element, facts, moment, section, table } from './elements.js';
import { stepTable } from './steps.js';

const KINDS = {
  succeeded: 'good',
  failed: 'bad',
  cancelled: 'quiet',
  running: 'good',
  waiting: 'warn',
  scheduled: 'warn',
};
const ACTIONS = {
  resume: ['Resume the type', ({ job }) => ['types', job.type, 'resume'], 'is resumed'],
  retry: ['Retry', ({ job }) => ['jobs', job.id, 'retry'], 'is retried'],
  'run-now': ['Run it now', ({ job }) => ['jobs', job.id, 'run-now'], 'need not wait any more'],
  cancel: ['Cancel it', ({ job }) => ['jobs', job.id, 'cancel'], 'is cancelled'],
};

/** One job. `act` does something and shows it anew. */
export async function jobView(id, { readOnly, act }) {
  const sheet = await get('jobs', id);
  const make = (action) => actionButton(action, sheet, act);
  return [
    section(titleOf(sheet), reasons(sheet, readOnly ? () => undefined : make), ...below(sheet, readOnly, make)),
    sheet.steps.steps.length > 0 ? section('Steps', stepTable(sheet.steps, sheet.now)) : undefined,
    section('Attempts', ...attempts(sheet)),
    section('About it', about(sheet)),
    section('Log', log(sheet)),
    section('Payload and result', ...values(sheet)),
  ];
}

/** Several that were found by a key or a reference. */
export function jobList({ jobs, more, now }) {
  return [
    section(
      `${jobs.length} jobs`,
      table(
        more ? 'The newest come first; there are more.' : 'The newest come first.',
        [
          ['Job', ({ id }) => element('a', { href: whyPage(id) }, id)],
          ['Type', ({ type }) => type],
          ['State', ({ state }) => chip(state, KINDS[state])],
          ['Key', ({ key }) => key],
          ['Reference', ({ reference }) => reference],
          ['Enqueued', ({ createdAt }) => moment(createdAt, now)],
        ],
        jobs,
      ),
    ),
  ];
}

function titleOf({ job }) {
  return element('span', {}, `Job ${job.id}: ${job.type}, `, chip(job.state, KINDS[job.state]));
}

function about({ job, now }) {
  return facts([
    ['Enqueued', moment(job.createdAt, now)],
    ['Due', moment(job.dueAt, now)],
    ['Deadline', job.deadline && moment(job.deadline, now)],
    ['Ended', job.finishedAt && moment(job.finishedAt, now)],
    ['Retries used', String(job.retries)],
    ['Crashes', job.crashes > 0 ? String(job.crashes) : undefined],
    ['Priority', String(job.priority)],
    ['Key', job.key],
    ['Reference', job.reference],
    ['Concurrency key', job.concurrencyKey],
    ['Trace', job.traceId],
    ['Progress', job.progress === undefined ? undefined : asText(job.progress)],
  ]);
}

/** What no reason offers, and the way to the board. */
function below({ job, actions, reasons: given }, readOnly, make) {
  const others = actions.filter((action) => !given.some((reason) => reason.action === action));
  const link = element('a', { href: onBoard(job.type, job.id) }, 'This job on the board');
  return [element('p', { class: 'row' }, link, ...(readOnly ? [] : others.map(make)))];
}

function reasons({ reasons: given }, make) {
  const items = given.map(({ reason, sentence, advice, action }) =>
    element(
      'li',
      { 'data-reason': reason },
      element('div', {}, element('strong', {}, sentence), element('p', {}, advice)),
      action === undefined ? undefined : make(action),
    ),
  );
  return element('ul', { class: 'reasons' }, ...items);
}

function actionButton(action, sheet, act) {
  const [title, path, done] = ACTIONS[action];
  const what = action === 'resume' ? sheet.job.type : `Job ${sheet.job.id}`;
  const click = () => act(() => post(...path(sheet)), `${what} ${done}.`);
  return action === 'cancel' ? carefulButton(title, 'Cancel it for good?', click) : button(title, click);
}

function attempts({ attempts: given, now }) {
  if (given.length === 0) return [element('p', { class: 'quiet' }, 'None has ended yet.')];
  return given.map((attempt, index) => {
    const { attempt: number, outcome, reason, node, startedAt, endedAt, error } = attempt;
    const took = startedAt === undefined ? '' : `, after ${duration(new Date(endedAt) - new Date(startedAt))}`;
    const why = reason === undefined ? '' : ` (${reason})`;
    const title = element(
      'summary',
      {},
      `Attempt ${number}: ${outcome}${why}${took}, on ${node}, `,
      moment(endedAt, now),
    );
    if (error === undefined) return element('details', {}, title, element('p', { class: 'quiet' }, 'No error.'));
    const open = index === given.length - 1 ? '' : undefined;
    return element('details', { open }, title, ...errorView(error));
  });
}

function errorView({ name, message, stack, code, cause }) {
  return [
    element(
      'p',
      {},
      element('strong', { class: 'bad' }, name),
      `: ${message}${code === undefined ? '' : ` (${code})`}`,
    ),
    stack === undefined ? undefined : element('pre', { tabindex: '0', 'aria-label': 'Stack' }, stack),
    ...(cause === undefined ? [] : [element('p', { class: 'quiet' }, 'Caused by'), ...errorView(cause)]),
  ].filter((part) => part !== undefined);
}

function log({ log: lines, now }) {
  if (lines.length === 0) return element('p', { class: 'quiet' }, 'Its handler has logged nothing.');
  return element('ol', { class: 'log' }, ...lines.map(({ at, message }) => logLine(message, moment(at, now))));
}

function logLine(message, when) {
  return element('li', {}, message, ' ', element('span', { class: 'quiet' }, when));
}

function values({ job, steps }) {
  const given = [
    ['Payload', job.payload],
    ['Context of its steps', steps.context],
    ['Result', job.result],
  ];
  return given
    .filter(([, value]) => value !== undefined)
    .flatMap(([title, value]) => [
      element('h3', {}, title),
      element('pre', { tabindex: '0', 'aria-label': title }, asText(value)),
    ]);
}

function asText(value) {
  return typeof value === 'string' ? value : JSON.stringify(value, undefined, 2);
}
