import type { JobLevel, JobToken } from '../../job/job.js';
import type { HeldClaim, Survey, SurveyRequest } from '../../repository/job-repository.js';
import { byBytes } from '../../typeorm/statements/gaps.js';
import { isDue, isFiled } from './claim-rows.js';
import type { MemoryStore } from './memory-store.js';
import type { JobRow } from './rows.js';
import { nextScheduleIn } from './schedule-rows.js';

const MOST_TYPES = 20;

export function surveyRows(store: MemoryStore, service: string, request: SurveyRequest): Survey {
  const { now, nodes } = store;
  const rows = store.jobsOf(service);
  const dues = rows.filter(({ state }) => state === 'scheduled').map(({ due }) => due);
  const running = rows.filter(({ state }) => state === 'running');
  const isSilent = [...nodes.values()].some(
    (node) => node.service === service && node.state === 'alive' && node.expires_at < now,
  );
  return {
    ready: readyLevels(store, service, request),
    nextDueIn: dues.length === 0 ? undefined : Math.min(...dues) - now,
    orphans: request.sweep && (isSilent || running.some(({ node_id: of }) => nodes.get(of)?.state !== 'alive')),
    misfiled: request.misfiled === true ? misfiledTypes(rows, request) : [],
    paused: pausedTypes(store, service),
    lost: (request.held ?? [])
      .filter((claim) => isLost(store, claim))
      .map(({ id, fence }): JobToken => ({ id, fence })),
    claims: request.node === undefined ? 0 : running.filter(({ node_id: of }) => of === Number(request.node)).length,
    nextScheduleIn: request.schedules === true ? nextScheduleIn(store, service) : undefined,
  };
}

export function pausedTypes({ pauses }: MemoryStore, service: string): string[] {
  return [...pauses].filter((pause) => pause.startsWith(`${service} `)).map((pause) => pause.slice(service.length + 1));
}

function readyLevels(store: MemoryStore, service: string, { types, keyed = [] }: SurveyRequest): JobLevel[] {
  const due = store.jobsOf(service).filter((row) => isDue(store, row));
  return types.flatMap((type) => {
    const ofType = due.filter((row) => row.type === type && (keyed.includes(type) || !isFiled(row)));
    const priorities = ofType.map(({ priority }) => priority);
    return priorities.length === 0 ? [] : [{ type, priority: Math.max(...priorities) }];
  });
}

function misfiledTypes(rows: readonly JobRow[], { types, keyed = [] }: SurveyRequest): string[] {
  return types.filter((type) => !keyed.includes(type) && rows.some((row) => row.type === type && isFiled(row)));
}

/** Of manual handlers: a job that has ended under its claim was acknowledged while its handler runs. */
function isLost(store: MemoryStore, claim: HeldClaim): boolean {
  if (claim.manual !== true) return store.held(claim) === undefined;
  const row = store.jobs.get(Number(claim.id));
  return row !== undefined && row.fence !== claim.fence;
}

export function unhandledTypes(store: MemoryStore, service: string): string[] {
  const handled = new Set(
    livingNodes(store).flatMap((node) => (node.service === service ? node.types.map(({ type }) => type) : [])),
  );
  const waiting = store.jobsOf(service).filter(({ state, type }) => state === 'waiting' && !handled.has(type));
  return [...new Set(waiting.map(({ type }) => type))].sort(byBytes).slice(0, MOST_TYPES);
}

export function unhandledServices(store: MemoryStore): string[] {
  const served = new Set(livingNodes(store).map(({ service }) => service));
  const waiting = [...store.jobs.values()].filter(({ state, service }) => state === 'waiting' && !served.has(service));
  return [...new Set(waiting.map(({ service }) => service))].sort(byBytes).slice(0, MOST_TYPES);
}

function livingNodes({ nodes, now }: MemoryStore) {
  return [...nodes.values()].filter(({ state, expires_at: until }) => state === 'alive' && until >= now);
}
