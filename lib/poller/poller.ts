import { Injectable } from '@nestjs/common';
import { Completer } from '../completion/completer.js';
import { QueueEvents } from '../events/queue-events.js';
import { JobHandlerRegistry } from '../handler/job-handler.registry.js';
import type { JobLevel } from '../job/job.js';
import { releaseOf, type Settlement } from '../job/settlement.js';
import { Rescuer } from '../maintenance/rescuer.js';
import { NodeLease } from '../node/node-lease.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { JobRepository, type Survey, type SurveyRequest } from '../repository/job-repository.js';
import { WakeSignal } from '../signal/wake-signal.js';
import { PollLoop } from '../support/poll-loop.js';
import type { Service } from '../support/service.js';
import { WorkerPool } from '../worker/worker-pool.js';
import { claimOptions } from './claim-options.js';
import { HeldBack } from './held-back.js';
import { PollCadence } from './poll-cadence.js';
import { ReadyLevels } from './ready-levels.js';

const PROMOTE_BATCH = 1_000;
/** A statement that writes more rows holds its locks, and keeps its connection, for longer. */
const LARGEST_CLAIM = 500;
/** While jobs are being claimed, how often to look for better levels, due jobs and the dead. */
const LOOK_WHEN_BUSY = 100;
/** How often to ask about schedules: all of them are read for it, and an edit may take 5 s. */
const SCHEDULES_EVERY = 1_000;
const PAUSE_AFTER_ERROR = 500;

/**
 * Finds work for the pool: one for all types of this process.
 *
 *     look (one statement) ──► promote what is due ──► rescue from the dead ──► claim by level, types in turn ──► pool
 *
 * A wake-up names a level, which is then claimed from without looking.
 *
 * @publicApi
 */
@Injectable()
export class Poller implements Service {
  private readonly loop: PollLoop;
  private readonly levels = new ReadyLevels();
  private readonly cadence: PollCadence;
  private readonly held: HeldBack;
  private unsubscribe: (() => void) | undefined;
  private lookedAt = -Infinity;
  private sweptAt = -Infinity;
  private askedAt = -Infinity;
  private schedulesAt = -Infinity;
  private nextDueAt: number | undefined;
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
    this.cadence = new PollCadence(options.pollMin, options.pollMax);
    this.held = new HeldBack(options.pollMin);
    this.loop = new PollLoop(
      () => this.poll(),
      (error) => this.failed(error),
    );
    pool.onRoom(() => {
      if (!this.levels.isEmpty) this.loop.wake();
    });
    completer.onFlush((written) => this.wereEnded(written));
  }

  /** Surveys of the schedules are told: they are not the poller's business. */
  onSurvey(listener: (survey: Survey) => void): void {
    this.surveyed = listener;
  }

  start(): void {
    this.unsubscribe ??= this.wakeSignal.subscribe((levels) => this.wake(levels));
    this.loop.start();
  }

  /** This process runs other types than before: what it does not run any more is let be, and what waits for it is looked for now. */
  typesChanged(): void {
    this.levels.keep(this.registry.types);
    this.held.release(() => true);
    this.wake([]);
  }

  /** Resolves when no claim is under way any more. */
  async stop(): Promise<void> {
    this.unsubscribe?.();
    this.unsubscribe = undefined;
    await this.loop.stop();
  }

  /** Answers how many milliseconds to wait before the next call. */
  async poll(): Promise<number> {
    if (!this.lease.isAlive) return this.options.pollMin;
    if (this.mayHaveStrays) await this.releaseStrays();
    const retried = this.held.release((_, retryAt) => retryAt <= performance.now());
    for (const level of retried) this.add(level);
    // What a wake-up has named goes first: a look would only delay it.
    let claimed = this.levels.isEmpty ? 0 : await this.claimInTurn();
    if (this.lookIsDue(retried.length > 0)) {
      await this.look();
      if (claimed === 0) claimed = await this.claimInTurn();
    }
    const now = performance.now();
    if (claimed === 0) return this.untilNextPoll(now);
    this.cadence.sawJobs(now);
    return 0;
  }

  private wake(levels: readonly JobLevel[]): void {
    const types = this.registry.types;
    const mine = levels.filter(({ type }) => types.includes(type) && (!this.held.has(type) || this.held.hint(type)));
    for (const level of mine) this.add(level);
    if (levels.length === 0) this.lookedAt = -Infinity;
    if (mine.length > 0 || levels.length === 0) this.loop.wake();
  }

  /** Of a type with limits the level is of no importance: its claim finds the best of each key. */
  private add(level: JobLevel): void {
    if (this.held.has(level.type)) return;
    this.levels.add(this.registry.limitsOf(level.type) === undefined ? level : { ...level, priority: 0 });
  }

  /** Their slots are free, and this process knows it first. */
  private wereEnded(written: readonly Settlement[]): void {
    const limited = written.map(({ type }) => type).filter((type) => this.registry.limitsOf(type) !== undefined);
    const freed = limited.length === 0 ? [] : this.held.free(limited);
    for (const level of freed) this.add(level);
    if (freed.length > 0) this.loop.wake();
  }

  /** `retried`: nothing is new but that a limit may have room again, which may be very often. */
  private lookIsDue(retried: boolean): boolean {
    const since = performance.now() - this.lookedAt;
    return this.levels.isEmpty ? !retried || since >= this.options.pollMin : since > LOOK_WHEN_BUSY;
  }

  /** Without room for what is ready, there is nothing to do before the next look, even when something else has become due. */
  private untilNextPoll(now: number): number {
    const dueIn = this.nextDueAt === undefined ? undefined : this.nextDueAt - now;
    const untilLook = this.levels.isEmpty ? 0 : this.lookedAt + LOOK_WHEN_BUSY - now;
    return Math.max(0, Math.min(Math.max(this.cadence.next(now, dueIn), untilLook), this.held.nextIn(now) ?? Infinity));
  }

  private async look(): Promise<void> {
    const now = performance.now();
    const sweep = this.rescuer.isOnDuty && now - this.sweptAt >= this.options.leaseBeat / 2;
    if (sweep) this.sweptAt = now;
    const asksForClaims = this.beatIsDue(now);
    const held = asksForClaims ? this.pool.held() : [];
    let survey = await this.survey({
      sweep,
      held,
      misfiled: asksForClaims,
      node: asksForClaims ? this.lease.id : undefined,
    });
    // A claim whose answer was lost may even be committed long after the error: then the database knows of more than we do.
    if (survey.claims > this.pool.held().length + this.completer.size) this.mayHaveStrays = true;
    this.pool.lose(survey.lost);
    if (survey.orphans) await this.rescuer.rescue();
    for (const type of survey.misfiled) await this.repository.unfile(type, PROMOTE_BATCH);
    const promoted = isDue(survey) ? await this.repository.promote(PROMOTE_BATCH) : 0;
    if (survey.orphans || promoted > 0) survey = await this.survey({ sweep: false });
    this.lookedAt = now;
    // What is due and was not promoted is being promoted by another node: no reason to hurry.
    this.nextDueAt =
      survey.nextDueIn === undefined
        ? undefined
        : now + (promoted > 0 ? survey.nextDueIn : Math.max(survey.nextDueIn, this.options.pollMin));
    this.levels.pause(survey.paused);
    this.pool.pause(survey.paused);
    // Its handler may have gone while the database was asked.
    for (const level of survey.ready) if (this.registry.get(level.type) !== undefined) this.add(level);
  }

  /** Whether it is time to ask which of the running jobs have been taken away. */
  private beatIsDue(now: number): boolean {
    if (now - this.askedAt < this.options.leaseBeat / 2) return false;
    this.askedAt = now;
    return true;
  }

  private async survey(request: Omit<SurveyRequest, 'types'>): Promise<Survey> {
    const now = performance.now();
    const schedules = this.options.roles.has('schedule') && now - this.schedulesAt >= SCHEDULES_EVERY;
    if (schedules) this.schedulesAt = now;
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
    this.held.claims(level.type);
    const { jobs, left, freeIn } = await this.repository.claim({ ...level, node, limit, ...claimOptions(handler) });
    this.mayHaveStrays = false;
    // Found dead meanwhile: these jobs are rescued with the others of that incarnation.
    if (!this.lease.isAlive || node !== this.lease.id) return 0;
    this.levels.tookTurn(level.type);
    if (left !== 'some') this.levels.drained(level);
    if (left === 'held back') this.held.hold(level, performance.now(), freeIn);
    this.pool.accept(jobs);
    return jobs.length;
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
    this.events.databaseError('polling', error);
    return PAUSE_AFTER_ERROR;
  }
}

function isDue({ nextDueIn }: Survey): boolean {
  return nextDueIn !== undefined && nextDueIn <= 0;
}
