import { Injectable } from '@nestjs/common';
import { InvalidScheduleError } from '../errors/invalid-schedule.error.js';
import { UnwritableError } from '../errors/unwritable.error.js';
import { QueueEvents } from '../events/queue-events.js';
import { JobInstrumentation } from '../instrumentation/job-instrumentation.js';
import type { JobLevel } from '../job/job.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { Poller } from '../poller/poller.js';
import {
  ScheduleRepository,
  type FiredJob,
  type FireRequest,
  type FireResult,
  type PendingSchedule,
  type PendingSchedules,
} from '../repository/schedule-repository.js';
import { WakeSignal } from '../signal/wake-signal.js';
import { messageOf } from '../support/message-of.js';
import { PollLoop } from '../support/poll-loop.js';
import type { Service } from '../support/service.js';
import { dueTimes, nextTime } from './due-times.js';
import { observeFiring } from './observe-firing.js';
import { parseSpec } from './spec/parse-spec.js';

/** Without word from the poller for so long, it looks by itself: an edit takes effect within 5 s. */
const LONGEST_PAUSE = 4_000;
/** However much there is to do that another node may be doing. */
const SHORTEST_PAUSE = 200;
/** How often to see whether the job before a queue has ended: each takes a transaction. */
const QUEUE_PAUSE = 1_000;
const PAUSE_AFTER_ERROR = 500;
const MOST_AT_ONCE = 100;

/**
 * Makes jobs of schedules. Every node with the role does; there is no leader to lose: whoever moves a schedule's next fire time on, in
 * one conditional statement, makes the job in the same transaction.
 *
 *     edited, new ──► plan: the next fire time          due ──► fire: jobs, the next fire time
 *     disabled ─────► forget the plan                   a queue ──► fire its oldest, if the ones before have ended
 */
@Injectable()
export class ScheduleFirer implements Service {
  private readonly loop: PollLoop;
  private stopping = false;
  private lookAt = -Infinity;
  private lookedAt = -Infinity;
  private queuesLookedAt = -Infinity;

  constructor(
    private readonly repository: ScheduleRepository,
    private readonly wakeSignal: WakeSignal,
    private readonly events: QueueEvents,
    private readonly instrumentation: JobInstrumentation,
    private readonly options: ResolvedOptions,
    poller: Poller,
  ) {
    this.loop = new PollLoop(
      () => this.poll(),
      this.events.databaseErrorIn('looking for due schedules', PAUSE_AFTER_ERROR),
    );
    poller.onSurvey(({ nextScheduleIn }) => this.expect(nextScheduleIn));
  }

  start(): void {
    this.stopping = false;
    if (this.options.roles.has('schedule')) this.loop.start();
  }

  stop(): Promise<void> {
    this.stopping = true;
    return this.loop.stop();
  }

  /** Something about a schedule has changed here: no need to wait until that is seen in the database. */
  wake(): void {
    this.lookAt = -Infinity;
    this.loop.wake();
  }

  /** The poller's survey has seen when there is something to do; `undefined`: nothing is planned. */
  private expect(milliseconds = LONGEST_PAUSE): void {
    const at = performance.now() + Math.min(milliseconds, LONGEST_PAUSE);
    const isSooner = at < this.lookAt;
    this.lookAt = Math.max(at, this.lookedAt + SHORTEST_PAUSE);
    if (isSooner) this.loop.wake();
  }

  private async poll(): Promise<number> {
    if (performance.now() >= this.lookAt) await this.look();
    return Math.max(0, this.lookAt - performance.now());
  }

  private async look(): Promise<void> {
    const now = performance.now();
    this.lookedAt = now;
    this.lookAt = Infinity;
    const queuesAreDue = now - this.queuesLookedAt >= QUEUE_PAUSE;
    if (queuesAreDue) this.queuesLookedAt = now;
    try {
      const pending = await this.repository.pending(MOST_AT_ONCE);
      const moved = await this.attendAll(pending, queuesAreDue);
      this.lookBefore(moved ? 0 : pauseAfter(pending));
    } catch (error) {
      this.lookBefore(PAUSE_AFTER_ERROR);
      throw error;
    }
  }

  /** Word that has come meanwhile may say sooner. */
  private lookBefore(milliseconds: number): void {
    this.lookAt = Math.min(this.lookAt, performance.now() + milliseconds);
  }

  /** Whether anything has changed by it. What fails for one schedule must not keep the others from firing. */
  async attendAll({ schedules, now }: PendingSchedules, queuesAreDue: boolean): Promise<boolean> {
    let moved = false;
    for (const schedule of schedules) {
      // In an outage each of a hundred would be tried for ten seconds.
      if (this.stopping) break;
      try {
        if (await this.attend(schedule, now, queuesAreDue)) moved = true;
      } catch (error) {
        this.events.databaseError(`firing the schedule '${schedule.name}'`, error);
      }
    }
    return moved;
  }

  private async attend(schedule: PendingSchedule, now: number, queuesAreDue: boolean): Promise<boolean> {
    if (!schedule.enabled) return this.repository.unplan(schedule);
    if (schedule.edited) return this.plan(schedule, now);
    const hasFired = comesNow(schedule, now) && (await this.fire(schedule, now));
    return (schedule.queued > 0 && queuesAreDue && (await this.fireQueued(schedule))) || hasFired;
  }

  private async plan(schedule: PendingSchedule, now: number): Promise<boolean> {
    try {
      const times = parseSpec(schedule.spec, schedule.timeZone);
      return await this.repository.plan(schedule, nextTime(times, now, schedule));
    } catch (error) {
      if (!(error instanceof InvalidScheduleError)) throw error;
      const isMine = await this.repository.plan(schedule, undefined, error.message);
      if (isMine) this.events.emit({ name: 'schedule.broken', schedule: schedule.name, error: error.message });
      return isMine;
    }
  }

  private async fire(schedule: PendingSchedule, now: number): Promise<boolean> {
    const { spec, timeZone, nextFire, misfire, misfireLimit: limit, endsAt } = schedule;
    const times = parseSpec(spec, timeZone);
    const { fire, missed } = dueTimes({ times, nextFire, misfire, limit, endsAt }, now);
    const next = nextTime(times, now, schedule);
    const result = await this.fireOrBreak({ schedule, times: fire, missed, next });
    if (result === undefined) return false;
    if (missed !== undefined)
      this.events.emit({ name: 'schedule.missed', schedule: schedule.name, fireTime: new Date(missed) });
    this.tell(schedule.name, result);
    return true;
  }

  /** What the database refuses now it would refuse again: the schedule goes on to its next fire time. */
  private async fireOrBreak(request: FireRequest): Promise<FireResult | undefined> {
    try {
      const fire = (traceId?: string) => this.repository.fire({ ...request, traceId });
      return await observeFiring(this.instrumentation, request.schedule, fire);
    } catch (error) {
      if (!(error instanceof UnwritableError)) throw error;
      const broken = messageOf(error.cause);
      await this.repository.fire({ ...request, times: [], missed: request.times.at(-1), broken });
      return { fired: [], skipped: [], broken };
    }
  }

  private async fireQueued(schedule: PendingSchedule): Promise<boolean> {
    const fire = (traceId?: string) => this.repository.fireQueued(schedule, traceId);
    const result = await observeFiring(this.instrumentation, schedule, fire);
    this.tell(schedule.name, result);
    return result.fired.length > 0;
  }

  private tell(schedule: string, { fired, skipped, broken }: FireResult): void {
    for (const { id, type, fireTime } of fired)
      this.events.emit({ name: 'schedule.fired', schedule, fireTime: new Date(fireTime), job: { id, type } });
    for (const fireTime of skipped)
      this.events.emit({ name: 'schedule.skipped', schedule, fireTime: new Date(fireTime) });
    if (broken !== undefined) this.events.emit({ name: 'schedule.broken', schedule, error: broken });
    if (fired.length > 0) this.wakeSignal.notify(levelsOf(fired));
  }
}

/** What is left is what another node is doing, or a queue behind a job. */
function pauseAfter({ schedules, now, nextIn = LONGEST_PAUSE }: PendingSchedules): number {
  const othersAreAtIt = schedules.some((schedule) => schedule.queued === 0 || comesNow(schedule, now));
  const most = schedules.length > 0 ? QUEUE_PAUSE : LONGEST_PAUSE;
  return Math.max(othersAreAtIt ? SHORTEST_PAUSE : 0, Math.min(nextIn, most));
}

function comesNow({ nextFire }: PendingSchedule, now: number): boolean {
  return nextFire > 0 && nextFire <= now;
}

/** Where jobs are waiting; nowhere while one is not due yet: then the hint is only that something has changed. */
function levelsOf(fired: readonly FiredJob[]): JobLevel[] {
  if (fired.some(({ isDue }) => !isDue)) return [];
  return [...new Set(fired.map(({ type }) => type))].map((type) => ({ type, priority: 0 }));
}
