import { Injectable } from '@nestjs/common';
import { Completer } from '../completion/completer.js';
import { NoteRecorder } from '../completion/note-recorder.js';
import { QueueEvents } from '../events/queue-events.js';
import { JobHandlerRegistry } from '../handler/job-handler.registry.js';
import type { ClaimedJob, JobToken } from '../job/job.js';
import { releaseOf } from '../job/settlement.js';
import { NodeLease } from '../node/node-lease.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import type { NotedJob } from '../repository/job-repository.js';
import { ActiveJob } from './active-job.js';
import { concludeRelease } from './conclusion.js';
import { JobRunner } from './job-runner.js';

/** Milliseconds. */
const LONGEST_LONER_WAIT = 60_000;

/**
 * The slots of this process. A slot is taken until the handler's promise settles, even when nobody waits for its answer any
 * more. A job on its last chance runs alone: it waits until every slot is free and every result is written, because a crash
 * would be held against whoever has no result yet; and nothing else starts before it has ended.
 *
 * @publicApi
 */
@Injectable()
export class WorkerPool {
  /** How many claims have ever come in. */
  accepted = 0;
  private readonly active = new Set<ActiveJob>();
  private readonly perType = new Map<string, number>();
  /** On their last chance, waiting for the slots to be empty. */
  private readonly loners: ActiveJob[] = [];
  private runsAlone = false;
  private lonerTimer: NodeJS.Timeout | undefined;
  private readonly roomListeners = new Set<() => void>();
  private readonly idleListeners = new Set<() => void>();

  constructor(
    private readonly registry: JobHandlerRegistry,
    private readonly runner: JobRunner,
    private readonly completer: Completer,
    private readonly events: QueueEvents,
    private readonly options: ResolvedOptions,
    lease: NodeLease,
    notes: NoteRecorder,
  ) {
    lease.onLoss(() => this.abandonAll(lease.name));
    notes.collectFrom(() => this.takeNotes());
    completer.onFlush(() => {
      this.startLoner();
      this.tellRoom();
    });
  }

  /** Claims that are in this process and have not ended. */
  get size(): number {
    return this.active.size + this.loners.length;
  }

  /** How many jobs of this type could start now. */
  room(type: string): number {
    if (this.runsAlone || this.loners.length > 0 || this.completer.isFull) return 0;
    const ofType = this.registry.get(type)?.options.concurrency ?? 0;
    return Math.max(0, Math.min(this.options.concurrency - this.active.size, ofType - (this.perType.get(type) ?? 0)));
  }

  /** `listener` is called when a slot has become free. */
  onRoom(listener: () => void): void {
    this.roomListeners.add(listener);
  }

  /** Whether this claim is in this process, running or waiting for its turn. */
  has({ id, fence }: JobToken): boolean {
    return [...this.active, ...this.loners].some(({ job }) => job.id === id && job.fence === fence);
  }

  /** The claims whose handlers run here. */
  held(): JobToken[] {
    return [...this.active].filter(isHeld).map(({ job: { id, fence } }) => ({ id, fence }));
  }

  /** Claims that are over in the database: their handlers are told, and what they answer is dropped. */
  lose(tokens: readonly JobToken[]): void {
    for (const active of this.active) {
      const isLost = tokens.some(({ id, fence }) => id === active.job.id && fence === active.job.fence);
      if (isLost && isHeld(active)) active.abandon('taken away');
    }
  }

  accept(jobs: readonly ClaimedJob[]): void {
    this.accepted += jobs.length;
    for (const job of jobs) {
      const handler = this.registry.get(job.type);
      if (handler === undefined) this.completer.settle(releaseOf(job));
      else this.place(new ActiveJob(job, handler));
    }
  }

  /** Waits for the running handlers; after `timeout` milliseconds aborts them and releases their jobs. Answers how many. */
  async drain(timeout: number): Promise<number> {
    clearTimeout(this.lonerTimer);
    for (const loner of this.loners.splice(0)) this.completer.settle(releaseOf(loner.job));
    await this.idleWithin(timeout);
    const late = [...this.active].filter(isHeld);
    for (const active of late) {
      this.completer.settle(concludeRelease(active));
      active.abandon('shutdown');
    }
    return late.length;
  }

  private place(active: ActiveJob): void {
    if (active.isOnLastChance) {
      this.loners.push(active);
      this.startLoner();
    } else this.run(active);
  }

  private startLoner(): void {
    if (this.active.size > 0 || !this.completer.isEmpty) return this.boundLonersWait();
    const loner = this.loners.shift();
    if (loner === undefined) return;
    this.runsAlone = true;
    this.run(loner);
  }

  /** A handler that never ends must not keep the whole node waiting for the slots to be empty: another node may have it sooner. */
  private boundLonersWait(): void {
    if (this.loners.length === 0) return;
    this.lonerTimer ??= setTimeout(() => {
      this.lonerTimer = undefined;
      for (const { job } of this.loners.splice(0)) {
        this.completer.settle({ ...releaseOf(job), state: 'scheduled', delay: LONGEST_LONER_WAIT });
      }
      this.tellRoom();
    }, LONGEST_LONER_WAIT);
  }

  private run(active: ActiveJob): void {
    const { type } = active.job;
    this.active.add(active);
    this.perType.set(type, (this.perType.get(type) ?? 0) + 1);
    void this.runner.run(active).finally(() => this.leave(active));
  }

  private leave(active: ActiveJob): void {
    const { type } = active.job;
    this.active.delete(active);
    this.perType.set(type, (this.perType.get(type) ?? 1) - 1);
    // Only one could be running.
    this.runsAlone = false;
    this.startLoner();
    if (this.active.size === 0) for (const listener of this.idleListeners) listener();
    this.tellRoom();
  }

  /** The node is dead: other nodes have its jobs. */
  private abandonAll(node: string): void {
    const running = [...this.active].filter((active) => !active.isAbandoned);
    this.loners.splice(0);
    for (const active of running) active.abandon('node found dead');
    this.events.emit({ name: 'node.lost', node, running: running.length });
  }

  private takeNotes(): NotedJob[] {
    return [...this.active].flatMap(({ job, notes, isAbandoned }) => {
      const taken = isAbandoned ? undefined : notes.take();
      return taken === undefined ? [] : [{ id: job.id, fence: job.fence, notes: taken }];
    });
  }

  private idleWithin(timeout: number): Promise<void> {
    if (this.active.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.idleListeners.delete(end);
        resolve();
      };
      const timer = setTimeout(end, timeout);
      this.idleListeners.add(end);
    });
  }

  private tellRoom(): void {
    for (const listener of this.roomListeners) listener();
  }
}

/** Whether its claim may still be in the database. */
function isHeld({ isAbandoned, completion }: ActiveJob): boolean {
  return !isAbandoned && completion === undefined;
}
