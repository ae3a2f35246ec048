import type { DataSource } from 'typeorm';
import type { OldestDueJob } from '../repository/inspection-repository.js';
import type { Patient } from '../typeorm/doctor/patient.js';
import {
  countEnds,
  countNodes,
  readNodes,
  readPauses,
  readScheduleFacts,
  readUnpromoted,
  type NodeFacts,
} from '../typeorm/doctor/queue-facts.js';
import { readConnections } from '../typeorm/doctor/server-facts.js';
import { inspectOldestDue } from '../typeorm/statements/inspect-due.js';
import { schedulesLateNow } from '../typeorm/statements/late-schedules.js';
import { unhandledServices } from '../typeorm/statements/unhandled-services.js';
import { unhandledTypes } from '../typeorm/statements/unhandled-types.js';
import { error, levelOf, listed, ok, orFine, SERVERS, spanOf, warning, type Check, type Verdict } from './check.js';
import {
  CLOCK_SKEW,
  FAILED_SHARE,
  FAILURES_WITHIN,
  MOST_ENDS,
  NODE_SILENCE,
  OLDEST_DUE,
  OWN_CONNECTIONS,
  UNATTENDED,
} from './thresholds.js';

/** What the rows of the service tell. */
export function queueChecks(): Check[] {
  let nodes: Promise<NodeFacts[]> | undefined;
  const ofNodes = (judge: (nodes: readonly NodeFacts[]) => Verdict[]) => async (patient: Patient) =>
    judge(await (nodes ??= patient.ask(readNodes)));
  let due: Promise<DueTypes> | undefined;
  const ofDue = (judge: (due: DueTypes) => Verdict[]) => async (patient: Patient) =>
    judge(await (due ??= readDue(patient)));
  return [
    { name: 'nodes.alive', look: ofNodes(judgeAlive) },
    { name: 'nodes.silent', look: ofNodes(judgeSilent) },
    { name: 'nodes.dead', look: ofNodes(judgeDead) },
    { name: 'clock.nodes', on: SERVERS, look: ofNodes(judgeClocks) },
    { name: 'connections.pools', on: SERVERS, look: judgePools },
    { name: 'jobs.unhandled-types', look: judgeTypes },
    { name: 'jobs.unhandled-services', look: judgeServices },
    { name: 'jobs.paused', look: ofDue(judgePaused) },
    { name: 'jobs.oldest-due', look: ofDue(judgeOldest) },
    { name: 'jobs.unpromoted', look: judgeUnpromoted },
    { name: 'jobs.failures', look: judgeFailures },
    { name: 'schedules.late', look: judgeLate },
    { name: 'schedules.broken', look: judgeSchedules },
  ];
}

function judgeAlive(nodes: readonly NodeFacts[]): Verdict[] {
  const alive = nodes.filter(({ state, expiredFor }) => state === 'alive' && expiredFor < 0);
  if (alive.length > 0) return [ok(`Nodes that are alive: ${alive.length}.`)];
  return [warning('No node of the service is alive: no job of it runs.', 'Start the application.')];
}

function judgeSilent(nodes: readonly NodeFacts[]): Verdict[] {
  const silent = nodes.filter(({ state, expiredFor }) => state === 'alive' && expiredFor >= 0);
  const verdicts = silent.flatMap(({ name, expiredFor, jobs }) => {
    const message = `The node ${name} has not beaten since its lease ran out ${spanOf(expiredFor)} ago; it holds ${jobs} jobs.`;
    const cure = 'Start a node: the living find the dead, and run their jobs.';
    return levelOf(expiredFor, NODE_SILENCE)?.(message, cure) ?? [];
  });
  return orFine(verdicts, 'Every node that is registered beats.');
}

function judgeDead(nodes: readonly NodeFacts[]): Verdict[] {
  const dead = nodes.filter(({ state, jobs }) => state !== 'alive' && jobs > 0);
  const verdicts = dead.map(({ name, state, expiredFor, jobs }) => {
    const message = `The node ${name} is ${state} and still holds ${jobs} jobs.`;
    const tell = levelOf(expiredFor, NODE_SILENCE) ?? warning;
    return tell(message, "Start a node with the role 'maintain': it takes them away within seconds.");
  });
  return orFine(verdicts, 'No dead node holds a job.');
}

function judgeClocks(nodes: readonly NodeFacts[]): Verdict[] {
  const alive = nodes.filter(({ state }) => state === 'alive');
  const verdicts = alive.flatMap(({ name, clockSkew, age }) => {
    const message =
      `The clock of the node ${name} was ${spanOf(Math.abs(clockSkew))} ${clockSkew < 0 ? 'behind' : 'ahead of'} ` +
      `the database's when it registered, ${spanOf(age)} ago.`;
    return levelOf(Math.abs(clockSkew), CLOCK_SKEW)?.(message, 'Let NTP set the clock of its machine.') ?? [];
  });
  return orFine(verdicts, "The nodes' clocks agreed with the database's when they registered.");
}

async function judgePools(patient: Patient): Promise<Verdict[]> {
  const { limit } = await patient.ask(readConnections);
  const nodes = await patient.ask(countNodes);
  const pool = poolSize(patient.dataSource);
  const wanted = nodes * (pool + OWN_CONNECTIONS);
  const message =
    `${nodes} nodes × (a pool of ${pool}, as this DataSource has it, and ${OWN_CONNECTIONS} of the queue) may open ` +
    `${wanted} of ${limit} connections.`;
  const cure = 'Raise max_connections, or make poolSize and connections.max smaller.';
  return [wanted > limit ? warning(message, cure) : ok(message)];
}

/** TypeORM hands over to the drivers what `extra` says, and else its own option; theirs is 10. */
function poolSize({ options }: DataSource): number {
  const { extra, poolSize: own } = options as { extra?: { max?: number; connectionLimit?: number }; poolSize?: number };
  const limit = options.type === 'postgres' ? extra?.max : extra?.connectionLimit;
  return limit ?? own ?? 10;
}

async function judgeTypes(patient: Patient): Promise<Verdict[]> {
  const types = await patient.ask(unhandledTypes);
  if (types.length === 0) return [ok('Every type with waiting jobs has a living node that runs it.')];
  const cure = 'Start a node with their handlers, or cancel their jobs.';
  return [error(`Types with waiting jobs that no living node runs: ${listed(types)}.`, cure)];
}

async function judgeServices(patient: Patient): Promise<Verdict[]> {
  const { service } = patient.tables;
  const services = (await patient.ask(unhandledServices)).filter((name) => name !== service);
  if (services.length === 0) return [ok('No other service in these tables waits for a node.')];
  const cure = 'Start their applications, or find out who writes the wrong service name.';
  return [warning(`Other services with waiting jobs and no living node: ${listed(services)}.`, cure)];
}

interface DueTypes {
  readonly paused: readonly OldestDueJob[];
  readonly others: readonly OldestDueJob[];
}

async function readDue(patient: Patient): Promise<DueTypes> {
  const types = await patient.ask(readPauses);
  const due = await patient.ask(inspectOldestDue);
  return { paused: due.filter(({ type }) => types.has(type)), others: due.filter(({ type }) => !types.has(type)) };
}

function judgePaused({ paused }: DueTypes): Verdict[] {
  if (paused.length === 0) return [ok('No type with due jobs is paused.')];
  const types = listed(paused.map(({ type }) => type));
  return [warning(`Paused types with due jobs: ${types}.`, '"persistent-queue resume", when they should run.')];
}

function judgeOldest({ others }: DueTypes): Verdict[] {
  const verdicts = others.flatMap(({ type, id, age }) => {
    const message = `The oldest waiting job of '${type}', ${id}, has been due for ${spanOf(age)}.`;
    const cure = `Ask why: "persistent-queue show ${id}"; or add nodes, or concurrency.`;
    return levelOf(age, OLDEST_DUE)?.(message, cure) ?? [];
  });
  return orFine(verdicts, `No waiting job has been due for ${spanOf(OLDEST_DUE.warning)}.`);
}

async function judgeUnpromoted(patient: Patient): Promise<Verdict[]> {
  const overdue = await patient.ask(readUnpromoted);
  if (overdue < UNATTENDED) return [ok('Scheduled jobs are made ready when they are due.')];
  const message = `A scheduled job has been due for ${spanOf(overdue)}, and no node has made it ready.`;
  return [error(message, "Start a node with the role 'work'.")];
}

async function judgeFailures(patient: Patient): Promise<Verdict[]> {
  const { succeeded, failed } = await patient.ask((tables) => countEnds(tables, FAILURES_WITHIN, MOST_ENDS));
  const message = `Of the last ${succeeded + failed} jobs that ended within ${spanOf(FAILURES_WITHIN)}, ${failed} failed.`;
  const tell = failed === 0 ? undefined : levelOf(failed / (succeeded + failed), FAILED_SHARE);
  return [tell?.(message, 'Read their errors: "persistent-queue list --state failed".') ?? ok(message)];
}

async function judgeLate(patient: Patient): Promise<Verdict[]> {
  const late = (await patient.ask(schedulesLateNow)).map(({ name }) => name);
  if (late.length === 0) return [ok('No schedule is late.')];
  return [
    error(`Schedules without a success for longer than their alertAfter: ${listed(late)}.`, 'Look at their history.'),
  ];
}

async function judgeSchedules(patient: Patient): Promise<Verdict[]> {
  const schedules = await patient.ask(readScheduleFacts);
  const verdicts = schedules.flatMap(({ name, broken, overdue }) => {
    if (broken !== undefined) return [error(`The schedule '${name}' cannot fire: ${broken}.`, 'Mend or remove it.')];
    if (overdue < UNATTENDED) return [];
    const message = `The schedule '${name}' should have fired ${spanOf(overdue)} ago.`;
    return [error(message, "Start a node with the role 'schedule'.")];
  });
  return orFine(verdicts, `Enabled schedules that fire in time: ${schedules.length}.`);
}
