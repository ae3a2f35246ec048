import type { LockService } from '../lock/lock-service.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { PollCadence } from '../poller/poll-cadence.js';
import { toldOf } from '../events/queue-events.js';
import { PollLoop } from '../support/poll-loop.js';
import type { Service } from '../support/service.js';
import type { OperationDefinition } from './operation-definition.js';
import { OperationTerm, type OperationTools } from './operation-term.js';

/** How long after its end a dead holder's lock may lie about. */
const LONGEST_ASK = 4_000;
/** How long free slots may wait for more of them: a load for each would cost as much as one for many. */
const TOP_UP = 200;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;

/**
 * Leads one operation when it can, and waits for its turn when somebody else does:
 *
 *     follow ──► lock taken ──► lead: load, whenever there are slots ──► lock lost ──► follow
 */
export class OperationLeader implements Service {
  private readonly loop: PollLoop;
  private readonly cadence: PollCadence;
  private term: OperationTerm | undefined;
  private during: 'lock' | 'load' = 'lock';
  private loadedAt = -Infinity;
  private pause = FIRST_PAUSE;
  /** Rows may have been left where they are for want of slots. */
  private wasCutShort = false;
  private isStopping = false;
  /** After an error: no room and no end of a row ends that pause. */
  private quietUntil = -Infinity;

  constructor(
    private readonly definition: OperationDefinition,
    private readonly locks: LockService,
    private readonly tools: OperationTools,
    options: ResolvedOptions,
  ) {
    this.cadence = new PollCadence(options.pollMin, options.pollMax);
    this.loop = new PollLoop(
      () => this.step(),
      (error) => this.failed(error),
    );
    tools.pool.onRoom(() => this.wake());
  }

  start(): void {
    this.isStopping = false;
    this.loop.start();
  }

  /** Loads nothing more. */
  stop(): Promise<void> {
    this.isStopping = true;
    this.term?.stopLoading();
    return this.loop.stop();
  }

  /** Rows that have begun are written, and somebody else may lead. */
  async retire(): Promise<void> {
    await this.term?.end().catch((error: unknown) => this.tell(error));
    this.term = undefined;
  }

  private async step(): Promise<number> {
    if (this.term?.isOver) this.term = undefined;
    const quiet = this.quietUntil - performance.now();
    if (quiet > 0) return quiet;
    this.during = this.term === undefined ? 'lock' : 'load';
    this.term ??= await this.takeLead();
    if (this.term === undefined) return Math.min(LONGEST_ASK, this.definition.lock.atMost / 2);
    this.during = 'load';
    const pause = await this.lead(this.term);
    this.pause = FIRST_PAUSE;
    return pause;
  }

  private async takeLead(): Promise<OperationTerm | undefined> {
    const { name, ...times } = this.definition.lock;
    const lock = await this.locks.tryAcquire(name, times);
    if (lock === undefined) return undefined;
    const term = new OperationTerm(this.definition, lock, this.tools, () => this.wake());
    try {
      await term.begin();
      return term;
    } catch (error) {
      await term.end();
      throw error;
    }
  }

  private async lead(term: OperationTerm): Promise<number> {
    const wanted = this.wanted(term);
    const now = performance.now();
    this.wasCutShort ||= wanted === 0;
    if (wanted === 0) return this.free(term) > 0 ? this.loadedAt + TOP_UP - now : this.idlePause(term, now);
    this.loadedAt = now;
    const loaded = await term.load(wanted);
    this.wasCutShort = loaded === wanted;
    if (loaded > 0) this.cadence.sawJobs(performance.now());
    return this.wasCutShort ? 0 : this.idlePause(term, performance.now());
  }

  private idlePause(term: OperationTerm, now: number): number {
    return this.cadence.next(now, term.nextDueIn);
  }

  /** Free slots, when it is worth a load. */
  private wanted(term: OperationTerm): number {
    const free = this.free(term);
    const isWorth = free >= this.concurrency / 2 || performance.now() - this.loadedAt >= TOP_UP;
    return isWorth ? free : 0;
  }

  /** Ends that cannot be written take room too: rows whose end nobody sees would pile up. */
  private free(term: OperationTerm): number {
    return Math.max(0, Math.min(this.tools.pool.free(this.definition.type), 2 * this.concurrency - term.size));
  }

  private get concurrency(): number {
    return this.definition.handler.options.concurrency;
  }

  private wake(): void {
    if (this.wasCutShort && this.term !== undefined && this.free(this.term) > 0) this.loop.wake();
  }

  private failed(error: unknown): number {
    if (!this.isStopping && this.term?.isOver !== true) this.tell(error);
    const { pause } = this;
    this.quietUntil = performance.now() + pause;
    this.pause = Math.min(pause * 2, LONGEST_PAUSE);
    return pause;
  }

  private tell(error: unknown): void {
    const { type } = this.definition;
    this.tools.events.emit({
      name: 'operation.failed',
      operation: type,
      during: this.during,
      rows: 0,
      ...toldOf(error),
    });
  }
}
