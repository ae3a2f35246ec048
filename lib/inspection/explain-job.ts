import { IncompatibleStepsError } from '../errors/incompatible-steps.error.js';
import { ENDED_STATES } from '../job/job-state.js';
import type { JobSituation, NodeStatus, NodeType } from '../repository/inspection-repository.js';
import type { FullNode, HoldReason, JobExplanation } from './job-explanation.js';
import { limitReasonsOf } from './limit-reasons.js';
import { sentenceFor } from './sentences.js';

/** A living node that runs the job's type. */
interface Handling {
  readonly node: NodeStatus;
  readonly type: NodeType;
}

type HoldingNode = NonNullable<JobSituation['node']>;

/** Why a job is not running: what the database knows of it and of the nodes, put together. No I/O: an explanation is data. */
export function explainJob(situation: JobSituation, nodes: readonly NodeStatus[]): JobExplanation {
  const { id, type, state } = situation.job;
  const reasons = reasonsOf(situation, nodes);
  return { id, type, state, reasons, sentences: reasons.map((reason) => sentenceFor(reason, type)) };
}

function reasonsOf(situation: JobSituation, nodes: readonly NodeStatus[]): HoldReason[] {
  const { job, started } = situation;
  const living = nodes.filter(({ state }) => state === 'alive');
  const handling = living.flatMap((node) =>
    node.types.filter(({ type }) => type === job.type).map((type) => ({ node, type })),
  );
  if (ENDED_STATES.includes(job.state)) return [{ reason: 'ended', state: job.state }];
  const lastChance = lastChanceOf(situation, handling);
  if (situation.node !== undefined) return [...holderOf(situation.node, living), ...(started ? [] : lastChance)];
  if (job.state === 'running') return [{ reason: 'not-acknowledged', until: job.dueAt }];
  const reasons: HoldReason[] = [
    ...(situation.paused ? [{ reason: 'paused' } as const] : []),
    ...handlerOf(living, handling),
    ...waitOf(situation),
    ...(isExpired(situation, handling) ? [{ reason: 'expired' } as const] : []),
    ...fullnessOf(handling),
    ...limitReasonsOf(
      situation,
      handling.map(({ type }) => type),
    ),
    ...lastChance,
  ];
  return reasons.length > 0 ? reasons : [{ reason: 'next', ahead: situation.ahead, key: job.concurrencyKey }];
}

/** A row that says `running` is as true as the node that has written it is there. */
function holderOf({ name: node, state }: HoldingNode, living: readonly NodeStatus[]): HoldReason[] {
  if (state === 'alive') return [{ reason: 'running', node }];
  return [{ reason: 'node-gone', node, state }, ...(living.length === 0 ? [{ reason: 'no-live-node' } as const] : [])];
}

function handlerOf(living: readonly NodeStatus[], handling: readonly Handling[]): HoldReason[] {
  if (living.length === 0) return [{ reason: 'no-live-node' }];
  return handling.length > 0 ? [] : [{ reason: 'no-handler', nodes: living.map(({ name }) => name) }];
}

function waitOf({ job, recorded, overdue }: JobSituation): HoldReason[] {
  const { lastError, dueAt: until } = job;
  // It uses up no attempt, so that one in the history is of a definition that could go on with it after all.
  if (lastError?.name === IncompatibleStepsError.name && !recorded)
    return [{ reason: 'incompatible-steps', error: lastError.message, until }];
  return overdue < 0 ? [{ reason: 'not-due', until }] : [];
}

/** Until its first claim, only its handlers know the deadline of its type. */
function isExpired({ job, overdue, expired }: JobSituation, handling: readonly Handling[]): boolean {
  if (job.deadline !== undefined) return expired;
  return handling.some(({ type: { deadline } }) => deadline !== undefined && overdue > deadline);
}

function fullnessOf(handling: readonly Handling[]): HoldReason[] {
  const nodes = handling.flatMap(({ node, type }): FullNode[] => {
    if (type.running >= type.concurrency) return [{ node: node.name, running: type.running, limit: type.concurrency }];
    if (node.running >= node.concurrency) return [{ node: node.name, running: node.running, limit: node.concurrency }];
    return [];
  });
  return handling.length > 0 && nodes.length === handling.length ? [{ reason: 'concurrency-full', nodes }] : [];
}

/** As the nodes decide it when they have claimed it. */
function lastChanceOf({ job: { crashes }, suspect }: JobSituation, handling: readonly Handling[]): HoldReason[] {
  const isLast = suspect && handling.some(({ type: { maxCrashes } }) => crashes + 1 >= maxCrashes);
  return isLast ? [{ reason: 'last-chance', crashes }] : [];
}
