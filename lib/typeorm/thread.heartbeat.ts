import { Worker } from 'node:worker_threads';
import { Injectable } from '@nestjs/common';
import { QueueEvents } from '../events/queue-events.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { Heartbeat } from '../repository/heartbeat.js';
import { messageOf } from '../support/message-of.js';
import type { Pulse } from '../support/pulse.js';
import { ApplicationDataSource } from './application-data-source.js';
import type { FromThread, HeartbeatSettings, ToThread } from './heartbeat-messages.js';
// It has one: what a CommonJS file assigns to its exports.
// oxlint-disable-next-line import/default
import heartbeatThreadFile from './heartbeat-thread-file.cjs';
import { ownOptions } from './open-database.js';
import { plainOptions, type PlainOptions } from './plain-options.js';

/** In milliseconds. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;
const STOP_PATIENCE = 2_000;

/** In beats. SQLite has one writer: while the main thread can beat, a thread that did would be in the way of the application. */
const STAND_IN_PATIENCE = 1.5;

/** Beats in a thread, over a connection of its own: whatever keeps the event loop of the main thread does not keep this. */
@Injectable()
export class ThreadHeartbeat extends Heartbeat {
  private worker: Worker | undefined;
  private isReady = false;
  private restart: NodeJS.Timeout | undefined;
  private pause = FIRST_PAUSE;

  constructor(
    private readonly application: ApplicationDataSource,
    private readonly options: ResolvedOptions,
    private readonly events: QueueEvents,
  ) {
    super();
  }

  get isBeating(): boolean {
    return this.isReady && !this.standsIn;
  }

  start(pulse: Pulse, onNews: () => void): void {
    if (!this.options.leaseThread || this.worker !== undefined || this.restart !== undefined) return;
    const plain = plainOptions(this.application.get(), this.pool);
    if (typeof plain === 'string') this.events.emit({ name: 'heartbeat.on-main-thread', reason: plain });
    else this.launch(this.settings(plain, pulse), onNews);
  }

  async stop(): Promise<void> {
    clearTimeout(this.restart);
    this.restart = undefined;
    const { worker } = this;
    this.worker = undefined;
    this.isReady = false;
    if (worker === undefined) return;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    // Referenced, because the process must not end in the middle of this.
    const timer = setTimeout(() => void worker.terminate(), STOP_PATIENCE);
    send(worker, { kind: 'stop' });
    await ended;
    clearTimeout(timer);
  }

  private launch(settings: HeartbeatSettings, onNews: () => void): void {
    const worker = new Worker(heartbeatThreadFile, {
      workerData: settings,
      name: 'nestjs-persistent-queue heartbeat',
    });
    let cause: unknown = 'it has exited';
    worker.on('message', (message: FromThread) => void this.hear(worker, message, onNews));
    worker.on('error', (error: unknown) => (cause = error));
    worker.on('exit', () => {
      if (this.worker === worker) this.replace(settings, onNews, cause);
    });
    worker.unref();
    this.worker = worker;
  }

  private async hear(worker: Worker, message: FromThread, onNews: () => void): Promise<void> {
    if (this.worker !== worker) return;
    if (message.kind === 'ready') {
      this.isReady = true;
      this.pause = FIRST_PAUSE;
    } else if (message.kind === 'lost') onNews();
    else if (message.kind === 'failed') this.events.databaseError("the thread's heartbeat", message.error);
    else if (message.kind === 'retried') this.events.databaseRetried(message);
    else send(worker, { kind: 'password', request: message.request, ...(await this.password()) });
  }

  /** What goes wrong goes to the thread, whose connection it is. */
  private async password(): Promise<{ password: string } | { error: string }> {
    try {
      const { password } = ownOptions(this.application.get(), this.pool) as { password?: () => unknown };
      return { password: String(await password?.()) };
    } catch (error) {
      return { error: messageOf(error) };
    }
  }

  private replace(settings: HeartbeatSettings, onNews: () => void, cause: unknown): void {
    this.worker = undefined;
    this.isReady = false;
    const error = messageOf(cause);
    this.events.emit({ name: 'heartbeat.thread-ended', error, againIn: this.pause });
    this.restart = setTimeout(() => {
      this.restart = undefined;
      this.launch(settings, onNews);
    }, this.pause).unref();
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
    onNews();
  }

  private settings(plain: PlainOptions, { memory }: Pulse): HeartbeatSettings {
    const { leaseDuration: lease, leaseBeat: beat, hungAfter, tablePrefix } = this.options;
    const patience = beat * (this.standsIn ? STAND_IN_PATIENCE : 1);
    return { ...plain, pool: this.pool, tablePrefix, memory, gap: lease / 2, lease, beat, patience, hungAfter };
  }

  private get pool() {
    return { connections: 1, serviceName: this.options.serviceName };
  }

  private get standsIn(): boolean {
    return this.application.get().options.type === 'better-sqlite3';
  }
}

function send(worker: Worker, message: ToThread): void {
  // Nothing is transferred. The linter takes a single argument for a window's.
  worker.postMessage(message, []);
}
