import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import { NotRunningError } from '../errors/not-running.error.js';
import { QueueEvents } from '../events/queue-events.js';
import { JobHandlerRegistry } from '../handler/job-handler.registry.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { Heartbeat } from '../repository/heartbeat.js';
import { JobRepository } from '../repository/job-repository.js';
import { PollLoop } from '../support/poll-loop.js';
import { processName } from '../support/process-name.js';
import { processTime, Pulse } from '../support/pulse.js';
import type { Service } from '../support/service.js';
import { EventLoopWatch } from './event-loop-watch.js';

/** In beats: how late the one that beats may be before the other one does it. */
const PATIENCE = 1.5;

/**
 * This process's life in the database: one row, one incarnation.
 *
 *     register ──► alive ──beat──► alive
 *                    │ no beat for one lease: another node marks it
 *                    ▼
 *                  dead ──► let go of every job, register anew
 *
 * Being dead is a fact in the database, not a guess by the clock: while the database is away nobody can be found dead, and
 * running jobs go on.
 *
 * Where a thread beats, this only stands in for it: when the thread is late, has ended, or has found the node dead.
 */
@Injectable()
export class NodeLease implements Service {
  private readonly loop: PollLoop;
  private readonly lossListeners = new Set<() => void>();
  private node: string | undefined;
  private lastNode = '?';
  private readonly pulse: Pulse;
  /** What the others know of the types that run here. */
  private toldTypes = '';
  private readonly oneByOne = pLimit(1);
  /** Something has happened that only a beat of our own can clear up. */
  private inDoubt = false;
  private started = false;
  /** In `processTime()`: when a beat has last come to its end, and when the last one that has arrived before one failed was sent. */
  private turnedAt = 0;
  private arrivedAt = 0;

  constructor(
    private readonly repository: JobRepository,
    private readonly registry: JobHandlerRegistry,
    private readonly events: QueueEvents,
    private readonly options: ResolvedOptions,
    private readonly heartbeat: Heartbeat,
    private readonly watch: EventLoopWatch,
  ) {
    this.pulse = new Pulse(options.leaseDuration / 2);
    watch.onTick(() => this.pulse.tick());
    this.loop = new PollLoop(
      () => this.beat(),
      (error) => this.failed(error),
    );
  }

  /** The id of the living incarnation. */
  get id(): string {
    if (this.node === undefined) throw new NotRunningError('The node');
    return this.node;
  }

  /** Whether there is a living incarnation: not before the start, and not between its death and the next one. */
  get isAlive(): boolean {
    return this.node !== undefined;
  }

  /** Between `start()` and `stop()`, whether there is a living incarnation or not. */
  get isStarted(): boolean {
    return this.started;
  }

  /** Milliseconds since the last beat that has arrived. */
  get sinceBeat(): number {
    return processTime() - Math.max(this.arrivedAt, this.pulse.lastBeat);
  }

  /** Milliseconds since a beat has last come to its end, in whatever way: an outage does not stop that, only a hang does. */
  get sinceTurn(): number {
    return processTime() - this.turnedAt;
  }

  /** For people: `host:pid#node`. */
  get name(): string {
    return `${processName()}#${this.lastNode}`;
  }

  /**
   * Whether this node may declare others dead: only after one full lease of beats without a gap. After an outage of the
   * database everybody's lease has run out, and whoever came back first would otherwise find all the others dead.
   */
  get maySweep(): boolean {
    // A process that has just been paused has a gap now, although its next beat will only tell so.
    const isBeating = this.pulse.dueIn(this.options.leaseDuration / 2) >= 0;
    return isBeating && processTime() - this.pulse.beatingSince >= this.options.leaseDuration;
  }

  /** `listener` is called when this node has been found dead, before it has a new id. */
  onLoss(listener: () => void): void {
    this.lossListeners.add(listener);
  }

  async start(): Promise<void> {
    if (this.node !== undefined) return;
    await this.register();
    this.started = true;
    this.turnedAt = processTime();
    this.loop.start();
    this.watch.start();
    this.heartbeat.start(this.pulse, () => this.doubt());
  }

  async stop(): Promise<void> {
    this.started = false;
    this.watch.stop();
    await Promise.all([this.loop.stop(), this.heartbeat.stop()]);
    const node = this.node;
    this.node = this.pulse.node = undefined;
    if (node !== undefined) await this.repository.retireNode(node);
  }

  /** Lets the others know which types run here now; what fails is tried again with each beat. */
  tellTypes(): Promise<void> {
    return this.oneByOne(async () => {
      const types = this.registry.handledTypes;
      const told = JSON.stringify(types);
      if (this.node === undefined || told === this.toldTypes) return;
      await this.repository.setTypes(this.node, types);
      this.toldTypes = told;
    });
  }

  private async beat(): Promise<number> {
    const patience = this.options.leaseBeat * (this.heartbeat.isBeating ? PATIENCE : 1);
    if (this.node === undefined) await this.register();
    else if (this.inDoubt || this.pulse.dueIn(patience) <= 0) await this.beatFor(this.node);
    await this.tellTypes();
    this.turnedAt = processTime();
    return Math.max(0, this.pulse.dueIn(patience));
  }

  private async beatFor(node: string): Promise<void> {
    const sent = processTime();
    this.inDoubt = false;
    if (await this.repository.beat(node)) this.pulse.noteBeat(sent);
    else await this.reincarnate();
  }

  private doubt(): void {
    this.inDoubt = true;
    this.loop.wake();
  }

  private async reincarnate(): Promise<void> {
    // First of all: whatever is claimed in the dead one's name from here on is nobody's.
    this.node = this.pulse.node = undefined;
    for (const listener of this.lossListeners) listener();
    await this.register();
  }

  private async register(): Promise<void> {
    const sent = processTime();
    const types = this.registry.handledTypes;
    const { concurrency } = this.options;
    this.node = await this.repository.registerNode({ name: processName(), concurrency, types });
    this.toldTypes = JSON.stringify(types);
    this.lastNode = this.node;
    this.pulse.forgetBeats();
    this.pulse.noteBeat(sent);
    this.pulse.node = this.node;
    this.events.emit({ name: 'node.registered', node: this.name });
  }

  private failed(error: unknown): number {
    this.turnedAt = processTime();
    this.arrivedAt = Math.max(this.arrivedAt, this.pulse.lastBeat);
    this.pulse.forgetBeats();
    this.events.databaseError('heartbeat', error);
    return Math.min(this.options.leaseBeat, 1_000);
  }
}
