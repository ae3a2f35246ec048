import type { Firing, Schedule } from '../../job/schedule.js';

/** A fire time that nobody has seen to for so long is one that nobody will: see `Misfire`. */
const OVERDUE = 60_000;
/** Successes are looked for among so many firings. */
const LATEST = 100;

export type ScheduleState = 'on time' | 'late' | 'broken' | 'gone' | 'disabled';

/** The latest of a schedule, so many. */
type FiringsOf = (name: string, limit: number) => Promise<readonly Firing[]>;

/** How a schedule does. Lateness as the alarm has it is told to one node only, so here it is looked up. */
export async function stateOf(schedule: Schedule, firings: FiringsOf, now: number): Promise<ScheduleState> {
  if (schedule.broken !== undefined) return 'broken';
  if (schedule.gone) return 'gone';
  if (!schedule.enabled) return 'disabled';
  if (schedule.nextFireAt !== undefined && now - schedule.nextFireAt.getTime() > OVERDUE) return 'late';
  const { name, alertAfter } = schedule;
  if (alertAfter === undefined) return 'on time';
  return hasSucceeded(await firings(name, LATEST), now - alertAfter) ? 'on time' : 'late';
}

/** Since then; also when there is nothing that could tell otherwise. */
function hasSucceeded(firings: readonly Firing[], since: number): boolean {
  const jobs = firings.filter(({ jobId }) => jobId !== undefined);
  const oldest = jobs.at(-1);
  if (oldest === undefined || oldest.fireTime.getTime() > since) return true;
  return jobs.some(({ fireTime, jobState }) => jobState === 'succeeded' && fireTime.getTime() >= since);
}
