import { chip, duration, element, moment, table } from './elements.js';

const KINDS = {
  succeeded: 'good',
  skipped: 'quiet',
  failed: 'bad',
  retrying: 'warn',
  running: 'warn',
  sleeping: 'warn',
  waiting: 'quiet',
};

/** The steps of a job one below the other, each with a bar on the same scale. */
export function stepTable({ total, done, steps }, now) {
  const scale = scaleOf(steps, now);
  const columns = [
    ['Step', ({ name }) => name],
    ['State', ({ state }) => chip(state, KINDS[state])],
    ['Attempts', ({ attempts }) => String(attempts)],
    ['When', (step) => when(step, now)],
    ['Took', took],
    ['Timeline', (step) => bar(step, scale, now), 'timeline'],
  ];
  if (steps.some(({ error }) => error !== undefined))
    columns.push(['Error', ({ error }) => (error ? `${error.name}: ${error.message}` : '')]);
  const caption = `${done} of ${total} steps are done. A bar is the last attempt of a step, or the time that it has slept.`;
  return table(caption, columns, steps);
}

function took({ startedAt, endedAt }) {
  return startedAt && endedAt ? duration(new Date(endedAt) - new Date(startedAt)) : '';
}

function when({ wakesAt, endedAt, startedAt, state }, now) {
  if (state === 'sleeping' && wakesAt) return element('span', {}, 'wakes ', moment(wakesAt, now));
  return moment(endedAt ?? startedAt, now);
}

function bar(step, { from, span }, now) {
  const [start, end] = reach(step, now);
  // To a screen reader, the columns beside it tell the same.
  const track = element('div', { class: 'track', 'aria-hidden': 'true' });
  if (start === undefined) return track;
  const drawn = element('div', { class: `bar ${KINDS[step.state]}` });
  // By its properties: the page's policy forbids `style` attributes.
  drawn.style.left = `${(100 * (start - from)) / span}%`;
  drawn.style.width = `${(100 * (end - start)) / span}%`;
  track.append(drawn);
  return track;
}

function scaleOf(steps, now) {
  const reaches = steps.map((step) => reach(step, now)).filter(([start]) => start !== undefined);
  const from = Math.min(...reaches.map(([start]) => start));
  const until = Math.max(...reaches.map(([, end]) => end));
  return { from, span: Math.max(1, until - from) };
}

function reach({ startedAt, endedAt, wakesAt }, now) {
  if (startedAt === undefined) return [];
  const start = Date.parse(startedAt);
  // A sleep of days would leave nothing of the other bars: what is to come is not drawn.
  const end = endedAt === undefined ? Math.min(Date.parse(wakesAt ?? now), Date.parse(now)) : Date.parse(endedAt);
  return [start, Math.max(start, end)];
}
