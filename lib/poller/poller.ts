import { Injectable } from '@nestjs/common';
import { Completer } from '../completion/completer.js';
import { QueueEvents } from '../events/queue-events.js';
import { JobHandlerRegistry } from '../handler/job-handler.registry.js';
import type { JobLevel } from '../job/job.js';
import { releaseOf } from '../job/settlement.js';
import { Rescuer } from '../maintenance/rescuer.js';
import { NodeLease } from '../node/node-lease.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { JobRepository, type Survey, type SurveyRequest } from '../repository/job-repository.js';
import { WakeSignal, type HintOrigin } from '../signal/wake-signal.js';
import { PollLoop } from '../support/poll-loop.js';
import type { Service } from '../support/service.js';
import { WorkerPool } from '../worker/worker-pool.js';
import { claimOptions } from './claim-options.js';
import { ClaimableLevels } from './claimable-levels.js';
import { HintPace } from './hint-pace.js';
import { LookPlan } from './look-plan.js';
import { PollCadence } from './poll-cadence.js';

const PROMOTE_BATCH = 1_000;
/** A statement that writes more rows holds its locks, and keeps its connection, for longer. */
const LARGEST_CLAIM = 500;
/** While jobs are being claimed, how often to look for better levels, due jobs and the dead. */
const LOOK_WHEN_BUSY = 100;
const PAUSE_AFTER_ERROR = 500;

/**
 * Finds work for the pool: one for all types of this process.
 *
 *     look (one statement) ──► promote what is due ──► rescue from the dead ──► claim by level, types in turn ──► pool
 *
 * A wake-up names a level, which is then claimed from without looking. Those of other processes may be for somebody else: one that
 * was in vain is not followed by a look, and without room none is followed before there is some.
 *
 * @publicApi
 */
@Injectable()
export class Poller implements Service {
  private readonly loop: PollLoop;
  private readonly levels: ClaimableLevels;
  private readonly plan: LookPlan;
  private readonly cadence: PollCadence;
  private readonly hints: HintPace;
  private unsubscribe: (() => void) | undefined;
  private lookedAt = -Infinity;
  private nextDueAt: number | undefined;
  private nextLookAt = -Infinity;
  /** Somebody has told that something has changed. */
  private owesLook = false;
  private mayHaveStrays = false;
  private surveyed: (survey: Survey) => void = () => undefined;

  constructor(
    private readonly repository: JobRepository,
    private readonly registry: JobHandlerRegistry,
    private readonly pool: WorkerPool,
    private readonly completer: Completer,
    private readonly rescuer: Rescuer,
    private readonly lease: NodeLease,
    private readonly wakeSignal: WakeSignal,
    private readonly events: QueueEvents,
    private readonly options: ResolvedOptions,
  ) {
    this.levels = new ClaimableLevels(registry, options.pollMin);
    this.plan = new LookPlan(options);
    this.cadence = new PollCadence(options.pollMin, options.pollMax);
    this.hints = new HintPace(options.pollMax, () => this.loop.wake());
    this.loop = new PollLoop(
      () => this.poll(),
      (error) => this.failed(error),
    );
    pool.onRoom(() => {
      if (this.owesLook || !this.levels.isEmpty) this.loop.wake();
    });
    completer.onFlush((written) => {
      if (this.levels.ended(written.map(({ type }) => type))) this.loop.wake();
    });
  }

  /** Surveys of the schedules are told: they are not the poller's business. */
  onSurvey(listener: (survey: Survey) => void): void {
    this.surveyed = listener;
  }

  start(): void {
    this.unsubscribe ??= this.wakeSignal.subscribe((levels, origin) => this.wake(levels, origin));
    this.loop.start();
  }

  /** This process runs other types than before: what it does not run any more is let be, and what waits for it is looked for now. */
  typesChanged(): void {
    this.levels.typesChanged();
    this.wake([], 'here');
  }

  /** Resolves when no claim is under way any more. */
  async stop(): Promise<void> {
    this.unsubscribe?.();
    this.unsubscribe = undefined;
    this.hints.stop();
    await this.loop.stop();
  }

  /** Answers how many milliseconds to wait before the next call. */
  async poll(): Promise<number> {
    if (!this.lease.isAlive) return this.options.pollMin;
    if (this.mayHaveStrays) await this.releaseStrays();
    const retried = this.levels.retryHeldBack(performance.now());
    // What a wake-up has named goes first: a look would only delay it.
    const isHinted = !this.levels.isEmpty;
    let claimed = isHinted ? await this.claimInTurn() : 0;
    if (claimed === 0 && this.isEarly()) {
      if (isHinted && !retried) this.hints.missed();
      return this.untilNextPoll();
    }
    if (this.lookIsDue(retried)) {
      await this.look();
      if (claimed === 0) claimed = await this.claimInTurn();
    }
    return claimed > 0 ? this.goOn() : this.rest();
  }

  private goOn(): number {
    this.nextLookAt = -Infinity;
    this.hints.found();
    this.cadence.sawJobs(performance.now());
    return 0;
  }

  private rest(): number {
    const now = performance.now();
    const dueIn = this.nextDueAt === undefined ? undefined : this.nextDueAt - now;
    // Without room for what is ready, there is nothing to do before the next look, even when something else has become due.
    const untilLook = this.levels.isEmpty ? 0 : this.lookedAt + LOOK_WHEN_BUSY - now;
    this.nextLookAt = now + Math.max(this.cadence.next(now, dueIn), untilLook);
    return this.untilNextPoll();
  }

  private untilNextPoll(): number {
    const now = performance.now();
    return Math.max(0, Math.min(this.nextLookAt - now, this.levels.untilRetry(now)));
  }

  /** Woken by what has come to nothing: a hint that was for somebody else, or jobs that a limit holds back still. */
  private isEarly(): boolean {
    return this.levels.isEmpty && !this.owesLook && this.nextLookAt > performance.now();
  }

  private wake(levels: readonly JobLevel[], origin: HintOrigin): void {
    const types = this.registry.types;
    const mine = levels.filter(({ type }) => types.includes(type));
    const news = mine.filter((level) => this.levels.hinted(level));
    if (levels.length === 0) this.owesLook = true;
    if (levels.length > 0 && mine.length === 0) return;
    if (origin === 'here') return this.loop.wake();
    const concerned = this.owesLook ? types : news.map(({ type }) => type);
    if (concerned.some((type) => this.pool.room(type) > 0)) this.hints.follow();
  }

  /** `retried`: nothing is new but that a limit may have room again, which may be very often. */
  private lookIsDue(retried: boolean): boolean {
    if (this.owesLook) return true;
    const since = performance.now() - this.lookedAt;
    return this.levels.isEmpty ? !retried || since >= this.options.pollMin : since > LOOK_WHEN_BUSY;
  }

  private async look(): Promise<void> {
    this.owesLook = false;
    const now = performance.now();
    const asksForClaims = this.plan.claims(now);
    let survey = await this.survey({
      sweep: this.rescuer.isOnDuty && this.plan.sweep(now),
      held: asksForClaims ? this.pool.held() : [],
      misfiled: asksForClaims,
      node: asksForClaims ? this.lease.id : undefined,
    });
    // A claim whose answer was lost may even be committed long after the error: then the database knows of more than we do.
    if (survey.claims > this.pool.held().length + this.completer.size) this.mayHaveStrays = true;
    this.pool.lose(survey.lost);
    if (survey.orphans && (await this.rescuer.rescue()) > 0) this.wakeSignal.notify([]);
    for (const type of survey.misfiled) await this.repository.unfile(type, PROMOTE_BATCH);
    const isDue = survey.nextDueIn !== undefined && survey.nextDueIn <= 0;
    const promoted = isDue ? await this.repository.promote(PROMOTE_BATCH) : 0;
    if (survey.orphans || promoted > 0) survey = await this.survey({ sweep: false });
    this.lookedAt = now;
    // What is due and was not promoted is being promoted by another node: no reason to hurry.
    this.nextDueAt =
      survey.nextDueIn === undefined
        ? undefined
        : now + (promoted > 0 ? survey.nextDueIn : Math.max(survey.nextDueIn, this.options.pollMin));
    this.levels.pause(survey.paused);
    this.pool.pause(survey.paused);
    this.levels.found(survey.ready);
  }

  private async survey(request: Omit<SurveyRequest, 'types'>): Promise<Survey> {
    const schedules = this.plan.schedules(performance.now());
    const { types } = this.registry;
    const keyed = types.filter((type) => this.registry.limitsOf(type)?.key !== undefined);
    const survey = await this.repository.survey({ types, keyed, schedules, ...request });
    if (schedules) this.surveyed(survey);
    return survey;
  }

  private async claimInTurn(): Promise<number> {
    let claimed = 0;
    const levels = this.levels.next().filter(({ type }) => this.pool.room(type) > 0);
    for (const [index, level] of levels.entries()) claimed += await this.claim(level, levels.length - index);
    return claimed;
  }

  /** At most a fair share of the room for each type whose turn is still to come. */
  private async claim(level: JobLevel, sharers: number): Promise<number> {
    const limit = Math.min(Math.ceil(this.pool.room(level.type) / sharers), LARGEST_CLAIM);
    const handler = this.registry.get(level.type);
    if (limit === 0 || handler === undefined) return 0;
    this.mayHaveStrays = true;
    const node = this.lease.id;
    const again = this.levels.claiming(level);
    const answer = await this.repository.claim({ ...level, node, limit, again, ...claimOptions(handler) });
    this.mayHaveStrays = false;
    // Found dead meanwhile: these jobs are rescued with the others of that incarnation.
    if (!this.lease.isAlive || node !== this.lease.id) return 0;
    this.levels.claimed(level, answer);
    this.pool.accept(answer.jobs);
    return answer.jobs.length;
  }

  /** A claim's commit may have succeeded although its answer was lost: such jobs are given back, or they would wait for ever. */
  private async releaseStrays(): Promise<void> {
    const claims = await this.repository.claimsOf(this.lease.id);
    const strays = claims.filter((token) => !this.pool.has(token) && !this.completer.has(token));
    if (strays.length > 0)
      await this.repository.settle(
        strays.map((token) => releaseOf({ ...token, type: '' })),
        this.lease.name,
      );
    this.mayHaveStrays = false;
  }

  private failed(error: unknown): number {
    // What the look was for is not known yet.
    this.owesLook = true;
    this.events.databaseError('polling', error);
    return PAUSE_AFTER_ERROR;
  }
}
