import { COUNTED_AHEAD } from '../repository/inspection-repository.js';
import type { HoldReason } from './job-explanation.js';

/** Enough to see which; an application may have hundreds of nodes. */
const MOST_NODES = 5;

type Reason<Name> = Extract<HoldReason, { reason: Name }>;

const GONE: Readonly<Record<Reason<'node-gone'>['state'], string>> = {
  silent: 'has not been heard of for longer than its lease',
  dead: 'has been found dead',
  stopped: 'has stopped',
};

/** All wording of explanations. What comes from users is quoted as it is: whoever shows it escapes it. */
const SENTENCES: { readonly [Name in HoldReason['reason']]: (reason: Reason<Name>, type: string) => string } = {
  ended: ({ state }) => `It has ended: ${state}.`,
  running: ({ node }) => `Node ${node} has it: it runs, or is about to.`,
  'node-gone': ({ node, state }) =>
    `Node ${node} had it, and ${GONE[state]}: it runs again when a living node finds it, within the lease.`,
  'not-acknowledged': ({ until }) =>
    `Its handler has returned, and nobody has acknowledged it: it is handled again after ${at(until)}.`,
  paused: (_, type) => `Its type '${type}' is paused.`,
  'no-live-node': () => 'No node of the service is alive.',
  'no-handler': ({ nodes }, type) => `No living node handles its type '${type}'. Alive: ${listed(nodes)}.`,
  'incompatible-steps': ({ error, until }) => `${error} It is tried again at ${at(until)}.`,
  'not-due': ({ until }) => `It waits for its time: ${at(until)}.`,
  expired: () => 'Its deadline has passed: the next claim fails it as expired.',
  'concurrency-full': ({ nodes }, type) =>
    `Every node that handles its type '${type}' runs as many jobs as it may: ` +
    `${listed(nodes.map(({ node, running, limit }) => `${node} has ${running} of ${limit}`))}.`,
  'global-concurrency-full': ({ running, limit }, type) =>
    `In the whole cluster as many jobs of its type '${type}' run as may: ${running} of ${limit}.`,
  'concurrency-key-full': ({ key, running, limit }, type) =>
    `As many jobs of its type '${type}' ${withKey(key)} run as may: ${running} of ${limit}.`,
  'key-not-known': ({ ahead }) =>
    'It was stored without its concurrency key, which the next claim of its type finds out' +
    (ahead === 0 ? '.' : `, after those of ${counted(ahead, undefined)} before it.`),
  'rate-limited': ({ max, per, until }, type) =>
    `As many jobs of its type '${type}' have begun as may, ${max} in ${lasting(per)}: the next begins at ${at(until)}.`,
  'last-chance': ({ crashes }) =>
    `${crashes === 0 ? 'A process has died while it was running' : `Processes have died while it was running, ${crashes} of them held against it`}: ` +
    'it is on its last chance, and waits until it can run alone.',
  next: ({ ahead, key }) =>
    ahead === 0
      ? `Nothing is in its way: it is the next of its type${ofKey(key)}.`
      : `Nothing is in its way but ${counted(ahead, key)} before it.`,
};

export function sentenceFor(reason: HoldReason, type: string): string {
  const sentence = SENTENCES[reason.reason] as (reason: HoldReason, type: string) => string;
  return sentence(reason, type);
}

function counted(ahead: number, key: string | undefined): string {
  if (ahead === 1) return `1 due job of its type${ofKey(key)} that comes`;
  return `${ahead < COUNTED_AHEAD ? ahead : `${COUNTED_AHEAD} or more`} due jobs of its type${ofKey(key)} that come`;
}

function ofKey(key: string | undefined): string {
  return key === undefined ? '' : ` ${withKey(key)}`;
}

function withKey(key: string | undefined): string {
  return key === undefined ? 'without a concurrency key' : `with the concurrency key '${key}'`;
}

function lasting(milliseconds: number): string {
  return milliseconds < 1_000 ? `${milliseconds} ms` : `${milliseconds / 1_000} s`;
}

function at(time: Date): string {
  return time.toISOString();
}

function listed(nodes: readonly string[]): string {
  const rest = nodes.length - MOST_NODES;
  return nodes.slice(0, MOST_NODES).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
