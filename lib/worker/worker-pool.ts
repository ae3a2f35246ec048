import { Injectable } from '@nestjs/common';
import { Completer } from '../completion/completer.js';
import { NoteRecorder } from '../completion/note-recorder.js';
import { QueueEvents } from '../events/queue-events.js';
import { JobHandlerRegistry } from '../handler/job-handler.registry.js';
import type { ClaimedJob, JobToken } from '../job/job.js';
import { releaseOf } from '../job/settlement.js';
import { NodeLease } from '../node/node-lease.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import type { HeldClaim, NotedJob } from '../repository/job-repository.js';
import { ActiveJob } from './active-job.js';
import { concludeRelease } from './conclusion.js';
import { JobBuffer } from './job-buffer.js';
import { JobRunner } from './job-runner.js';
import { Loners, LONGEST_LONER_WAIT } from './loners.js';
import { Paces } from './pace.js';
import { Slots } from './slots.js';

/** Claimed jobs of all types that wait for a slot. */
const MOST_WAITING = 1_000;
/** Then they are given back, in milliseconds: the handlers before them take longer than those that were measured. */
const LONGEST_WAIT = 1_000;

/**
 * The slots of this process, and a small buffer before them.
 *
 *     accept ──► slot free? ──► run ──────────────────► leave ──► the next one from the buffer
 *                   │ no                                   ▲
 *                   ├──► buffer ───────────────────────────┘
 *                   └──► on its last chance: alone, when every slot is free
 *
 * A slot is taken until the handler's promise settles, even when nobody waits for its answer any more. What waits in the buffer has
 * not started: it uses up nothing when it is given back, by a pause, a shutdown, or because it waits for too long.
 *
 * @publicApi
 */
@Injectable()
export class WorkerPool {
  /** How many claims have ever come in. */
  accepted = 0;
  private readonly slots: Slots;
  private readonly buffer = new JobBuffer();
  private readonly loners: Loners;
  private readonly paces = new Paces();
  private waitTimer: NodeJS.Timeout | undefined;
  private readonly roomListeners = new Set<() => void>();
  private readonly idleListeners = new Set<() => void>();

  constructor(
    private readonly registry: JobHandlerRegistry,
    private readonly runner: JobRunner,
    private readonly completer: Completer,
    private readonly events: QueueEvents,
    options: ResolvedOptions,
    lease: NodeLease,
    notes: NoteRecorder,
  ) {
    this.slots = new Slots(registry, options.concurrency);
    this.loners = new Loners((jobs) => this.postpone(jobs));
    lease.onLoss(() => this.abandonAll(lease.name));
    notes.collectFrom(() => this.takeNotes());
    completer.onFlush(() => {
      this.startNext();
      this.tellRoom();
    });
  }

  /** Claims that are in this process and have not ended. */
  get size(): number {
    return this.slots.count + this.buffer.size + this.loners.size;
  }

  /** How many jobs of this type to claim: what could start now, and what may wait here until it can. */
  room(type: string): number {
    if (this.loners.areWaiting || this.completer.isFull) return 0;
    const free = this.slots.free(type);
    const waiting = this.buffer.count(type);
    const allowed = this.paces.of(type).allowance(this.slots.takenBy(type) + free);
    // Half of it at a time: a claim for each job that has started would cost as much as one for hundreds.
    if (waiting > allowed / 2) return 0;
    return free + Math.max(0, Math.min(allowed - waiting, MOST_WAITING - this.buffer.size));
  }

  /** `listener` is called when there is room. */
  onRoom(listener: () => void): void {
    this.roomListeners.add(listener);
  }

  /** Whether this claim is in this process, running or waiting for its turn. */
  has({ id, fence }: JobToken): boolean {
    return this.claims.some(({ job }) => job.id === id && job.fence === fence);
  }

  /** The claims of this process that may still be in the database. */
  held(): HeldClaim[] {
    return this.claims.filter(isHeld).map(({ job: { id, fence }, isManual }) => ({ id, fence, manual: isManual }));
  }

  /** Claims that are over in the database: their handlers are told, and what they answer is dropped. */
  lose(tokens: readonly JobToken[]): void {
    if (tokens.length === 0) return;
    const lost = new Set(tokens.map(keyOf));
    for (const active of this.claims) {
      if (!lost.has(keyOf(active.job)) || !isHeld(active)) continue;
      this.buffer.remove(active);
      this.loners.remove(active);
      active.abandon('taken away');
    }
  }

  accept(jobs: readonly ClaimedJob[]): void {
    this.accepted += jobs.length;
    const now = performance.now();
    for (const job of jobs) {
      const handler = this.registry.get(job.type);
      if (handler === undefined) this.completer.settle(releaseOf(job));
      else this.place(new ActiveJob(job, handler), now);
    }
  }

  /** What waits here of these types may run elsewhere, or has been paused. */
  giveBack(types: readonly string[]): void {
    for (const type of types) for (const { job } of this.buffer.takeAll(type)) this.completer.settle(releaseOf(job));
  }

  /** Waits for the running handlers; after `timeout` milliseconds aborts them and releases their jobs. Answers how many. */
  async drain(timeout: number): Promise<number> {
    clearTimeout(this.waitTimer);
    this.runner.stopSteps();
    for (const { job } of [...this.loners.takeAll(), ...this.buffer.jobs]) this.completer.settle(releaseOf(job));
    this.buffer.clear();
    await this.idleWithin(timeout);
    const late = this.slots.running.filter(isHeld);
    for (const active of late) {
      this.completer.settle(concludeRelease(active));
      active.abandon('shutdown');
    }
    return late.length;
  }

  private get claims(): ActiveJob[] {
    return [...this.slots.running, ...this.buffer.jobs, ...this.loners.jobs];
  }

  private place(active: ActiveJob, now: number): void {
    const { type } = active.job;
    if (active.isOnLastChance) {
      this.loners.add(active);
      this.startNext();
    } else if (this.buffer.count(type) === 0 && this.slots.free(type) > 0 && !this.loners.isRunning) this.run(active);
    else this.wait(active, now);
  }

  private wait(active: ActiveJob, now: number): void {
    this.buffer.add(active, now);
    this.waitTimer ??= setTimeout(() => this.giveBackLate(), LONGEST_WAIT);
  }

  private giveBackLate(): void {
    this.waitTimer = undefined;
    const late = this.buffer.waitingSince(performance.now() - LONGEST_WAIT);
    for (const type of late) this.paces.of(type).stalled();
    this.giveBack(late);
    if (this.buffer.size > 0) this.waitTimer = setTimeout(() => this.giveBackLate(), LONGEST_WAIT / 4);
  }

  /** Whoever may start now: those that wait, before one that must be alone. */
  private startNext(): void {
    if (this.loners.isRunning) return;
    for (;;) {
      const next = this.buffer.take((type) => this.slots.free(type) > 0);
      if (next === undefined) break;
      this.run(next);
    }
    if (!this.loners.areWaiting) return;
    const isAlone = this.slots.count === 0 && this.buffer.size === 0 && this.completer.isEmpty;
    const loner = isAlone ? this.loners.start() : undefined;
    if (loner !== undefined) this.run(loner);
  }

  private run(active: ActiveJob): void {
    const began = performance.now();
    this.slots.take(active);
    void this.runner.run(active).finally(() => this.leave(active, began));
  }

  private leave(active: ActiveJob, began: number): void {
    const { type } = active.job;
    this.slots.leave(active);
    this.paces.of(type).ended(performance.now() - began);
    this.loners.left(active);
    this.startNext();
    if (this.slots.count === 0) for (const listener of this.idleListeners) listener();
    if (this.room(type) > 0) this.tellRoom();
  }

  /** A handler that never ends must not keep the whole node waiting for the slots to be empty: another node may have it sooner. */
  private postpone(jobs: readonly ActiveJob[]): void {
    for (const { job } of jobs)
      this.completer.settle({ ...releaseOf(job), state: 'scheduled', delay: LONGEST_LONER_WAIT });
    this.tellRoom();
  }

  /** The node is dead: other nodes have its jobs. */
  private abandonAll(node: string): void {
    const running = this.slots.running.filter((active) => !active.isAbandoned);
    this.loners.takeAll();
    this.buffer.clear();
    for (const active of running) active.abandon('node found dead');
    this.events.emit({ name: 'node.lost', node, running: running.length });
  }

  private takeNotes(): NotedJob[] {
    return this.slots.running.flatMap(({ job, notes, isAbandoned }) => {
      const taken = isAbandoned ? undefined : notes.take();
      return taken === undefined ? [] : [{ id: job.id, fence: job.fence, notes: taken }];
    });
  }

  private idleWithin(timeout: number): Promise<void> {
    if (this.slots.count === 0) return Promise.resolve();
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

function keyOf({ id, fence }: JobToken): string {
  return `${id}:${fence}`;
}
