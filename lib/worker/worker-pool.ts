import { Injectable } from '@nestjs/common';
import type { ClaimHome } from '../completion/claim-home.js';
import { Completer } from '../completion/completer.js';
import { JobTableHome } from '../completion/job-table.home.js';
import { NoteRecorder } from '../completion/note-recorder.js';
import { QueueEvents } from '../events/queue-events.js';
import { JobHandlerRegistry } from '../handler/job-handler.registry.js';
import type { ClaimedJob, JobToken } from '../job/job.js';
import { releaseOf } from '../job/settlement.js';
import { NodeLease } from '../node/node-lease.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import type { HeldClaim } from '../repository/job-repository.js';
import { ActiveJob } from './active-job.js';
import { Claims, isHeld } from './claims.js';
import { concludeRelease } from './conclusion.js';
import { Departures } from './departures.js';
import { JobBuffer } from './job-buffer.js';
import { JobRunner } from './job-runner.js';
import { Loners, LONGEST_LONER_WAIT } from './loners.js';
import { Paces } from './pace.js';
import { Room } from './room.js';
import { Slots } from './slots.js';

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
  private readonly claims: Claims;
  private readonly paces = new Paces();
  private readonly rooms: Room;
  private waitTimer: NodeJS.Timeout | undefined;
  private readonly roomListeners = new Set<() => void>();
  private readonly departures = new Departures();
  /** `undefined` until the database has been asked. */
  private paused: ReadonlySet<string> | undefined;

  constructor(
    private readonly registry: JobHandlerRegistry,
    private readonly runner: JobRunner,
    private readonly completer: Completer,
    private readonly home: JobTableHome,
    private readonly events: QueueEvents,
    options: ResolvedOptions,
    lease: NodeLease,
    notes: NoteRecorder,
  ) {
    this.slots = new Slots(registry, options.concurrency);
    this.rooms = new Room(registry, this.slots, this.buffer, this.paces, this.completer);
    this.loners = new Loners((jobs) => this.postpone(jobs));
    this.claims = new Claims(this.slots, this.buffer, this.loners);
    lease.onLoss(() => this.abandonAll(lease.name));
    notes.collectFrom(() => this.claims.takeNotes(this.home));
    completer.onFlush(() => this.wasWritten());
  }

  /** Claims that are in this process and have not ended. */
  get size(): number {
    return this.slots.count + this.buffer.size + this.loners.size;
  }

  /** How many jobs of this type could start now: none while it is paused, or may be. */
  free(type: string): number {
    const { paused, loners, slots } = this;
    return paused === undefined || paused.has(type) || loners.areWaiting ? 0 : slots.free(type);
  }

  /** How many jobs of this type to claim: what could start now, and what may wait here until it can. */
  room(type: string): number {
    return this.loners.areWaiting || this.completer.isFull ? 0 : this.rooms.of(type);
  }

  /** `listener` is called when there is room. */
  onRoom(listener: () => void): void {
    this.roomListeners.add(listener);
  }

  /** Whether this claim of our own table is in this process, running or waiting for its turn. */
  has(token: JobToken): boolean {
    return this.claims.has(this.home, token);
  }

  /** The claims of our own table in this process that may still be in the database. */
  held(): HeldClaim[] {
    return this.claims.held(this.home);
  }

  /** Claims that are over in the database: their handlers are told, and what they answer is dropped. */
  lose(tokens: readonly JobToken[]): void {
    this.claims.lose(this.home, tokens);
  }

  /** The same for all that come from `home`. */
  loseAll(home: ClaimHome): void {
    this.claims.lose(home);
  }

  /** `home`: where they come from; by default our own table. */
  accept(jobs: readonly ClaimedJob[], home: ClaimHome = this.home): void {
    this.accepted += jobs.length;
    const now = performance.now();
    for (const job of jobs) {
      const handler = this.registry.get(job.type);
      if (handler === undefined) home.settle(releaseOf(job));
      else this.place(new ActiveJob(job, handler, home), now);
    }
  }

  /** Nothing of these types is started, and what waits here goes back. */
  pause(types: readonly string[]): void {
    const isNews = this.paused === undefined || types.length < this.paused.size;
    this.paused = new Set(types);
    this.giveBack(types);
    if (isNews) this.tellRoom();
  }

  /** Ends of jobs have been written down: that is what some wait for. */
  wasWritten(): void {
    this.startNext();
    this.tellRoom();
  }

  /** What waits of this type goes back; resolves when what runs of it has ended. */
  vacate(type: string): Promise<void> {
    this.giveBack([type]);
    for (const active of this.loners.jobs.filter(({ job }) => job.type === type)) {
      this.loners.remove(active);
      release(active);
    }
    this.startNext();
    const running = this.slots.running.filter(({ job }) => job.type === type);
    return this.departures.until(() => !running.some((active) => this.slots.has(active)));
  }

  /** Waits for the running handlers; after `timeout` milliseconds aborts them and releases their jobs. Answers how many. */
  async drain(timeout: number): Promise<number> {
    clearTimeout(this.waitTimer);
    this.runner.stopSteps();
    for (const active of [...this.loners.takeAll(), ...this.buffer.jobs]) release(active);
    this.buffer.clear();
    await this.departures.until(() => this.slots.count === 0, timeout);
    const late = this.slots.running.filter(isHeld);
    for (const active of late) {
      active.home.settle(concludeRelease(active));
      active.observation?.end({ outcome: 'released', reason: 'released', error: undefined });
      active.abandon('shutdown');
    }
    return late.length;
  }

  private giveBack(types: readonly string[]): void {
    for (const type of types) for (const active of this.buffer.takeAll(type)) release(active);
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
    const isAlone = this.slots.count === 0 && this.buffer.size === 0 && this.loners.homesAreEmpty && this.home.isEmpty;
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
    this.departures.left();
    if (this.room(type) > 0) this.tellRoom();
  }

  /** A handler that never ends must not keep the whole node waiting for the slots to be empty: another node may have it sooner. */
  private postpone(jobs: readonly ActiveJob[]): void {
    for (const { job, home } of jobs) home.settle({ ...releaseOf(job), state: 'scheduled', delay: LONGEST_LONER_WAIT });
    this.tellRoom();
  }

  private abandonAll(node: string): void {
    this.events.emit({ name: 'node.lost', node, running: this.claims.abandon(this.home) });
  }

  private tellRoom(): void {
    for (const listener of this.roomListeners) listener();
  }
}

function release({ job, home }: ActiveJob): void {
  home.settle(releaseOf(job));
}
