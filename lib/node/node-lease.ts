import { hostname } from 'node:os';
import { Injectable } from '@nestjs/common';
import { NotRunningError } from '../errors/not-running.error.js';
import { QueueEvents } from '../events/queue-events.js';
import { JobHandlerRegistry } from '../handler/job-handler.registry.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { JobRepository } from '../repository/job-repository.js';
import { PollLoop } from '../support/poll-loop.js';
import type { Service } from '../support/service.js';

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
 */
@Injectable()
export class NodeLease implements Service {
  private readonly loop: PollLoop;
  private readonly lossListeners = new Set<() => void>();
  private node: string | undefined;
  private lastNode = '?';
  private beatingSince = Infinity;
  private lastBeat = -Infinity;

  constructor(
    private readonly repository: JobRepository,
    private readonly registry: JobHandlerRegistry,
    private readonly events: QueueEvents,
    private readonly options: ResolvedOptions,
  ) {
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

  /** For people: `host:pid#node`. */
  get name(): string {
    return `${processName()}#${this.lastNode}`;
  }

  /**
   * Whether this node may declare others dead: only after one full lease of beats without a gap. After an outage of the
   * database everybody's lease has run out, and whoever came back first would otherwise find all the others dead.
   */
  get maySweep(): boolean {
    const now = performance.now();
    // A process that has just been paused has a gap now, although its next beat will only tell so.
    const isBeating = now - this.lastBeat <= this.options.leaseDuration / 2;
    return isBeating && now - this.beatingSince >= this.options.leaseDuration;
  }

  /** `listener` is called when this node has been found dead, before it has a new id. */
  onLoss(listener: () => void): void {
    this.lossListeners.add(listener);
  }

  async start(): Promise<void> {
    if (this.node !== undefined) return;
    await this.register();
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    const node = this.node;
    this.node = undefined;
    if (node !== undefined) await this.repository.retireNode(node);
  }

  private async beat(): Promise<number> {
    const started = performance.now();
    if (this.node === undefined) await this.register();
    else if (await this.repository.beat(this.node)) this.noteBeat(started);
    else await this.reincarnate();
    return Math.max(0, this.options.leaseBeat - (performance.now() - started));
  }

  private async reincarnate(): Promise<void> {
    // First of all: whatever is claimed in the dead one's name from here on is nobody's.
    this.node = undefined;
    for (const listener of this.lossListeners) listener();
    await this.register();
  }

  private async register(): Promise<void> {
    const started = performance.now();
    this.node = await this.repository.registerNode({ name: processName(), types: this.registry.types });
    this.lastNode = this.node;
    this.lastBeat = this.beatingSince = started;
    this.events.emit({ name: 'node.registered', node: this.name });
  }

  private noteBeat(now: number): void {
    if (now - this.lastBeat > this.options.leaseDuration / 2) this.beatingSince = now;
    this.lastBeat = now;
  }

  private failed(error: unknown): number {
    this.beatingSince = Infinity;
    this.lastBeat = -Infinity;
    this.events.databaseError('heartbeat', error);
    return Math.min(this.options.leaseBeat, 1_000);
  }
}

function processName(): string {
  return `${hostname().slice(0, 200)}:${process.pid}`;
}
