import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { QueueEvents, toldOf } from '../events/queue-events.js';
import type { JobLevel } from '../job/job.js';
import { decodeHint, encodeHint } from './hint.js';
import { HintOutbox } from './hint-outbox.js';
import { LocalWakeSignal } from './local.wake-signal.js';
import type { WakeUpChannel, WakeUpListener, WakeUps } from './wake-ups.js';

/** Milliseconds between two messages of a process. The first hint goes at once; a storm of them costs 200 messages a second. */
const GAP = 5;
/** How long an application that closes waits for its last hint, in milliseconds. */
const CLOSE_PATIENCE = 1_000;

/** Of the module's options. */
export interface SharedWakeSignalSettings {
  readonly serviceName: string;
  readonly tablePrefix: string;
  readonly roles: ReadonlySet<string>;
}

/**
 * Wake-ups inside this process, at once, and between processes:
 *
 *     notify ──► this process
 *         └────► outbox ──► one message per turn of the event loop, one at a time ──► channel ──► hear ──► the others
 *
 * While the channel is away, what it would have carried is dropped: everybody looks once it is back.
 */
export class SharedWakeSignal extends LocalWakeSignal {
  private readonly id = randomUUID();
  private readonly outbox = new HintOutbox();
  private channel: WakeUpChannel | undefined;
  private sending: Promise<void> | undefined;
  private isConnected = false;
  private hasDropped = false;
  private isClosed = false;
  /** Why nobody hears this process, or it nobody: the log has one line when that begins and one when it ends. */
  private readonly troubles = new Set<'connection' | 'sending'>();
  private troubledSince = 0;

  constructor(
    private readonly wakeUps: WakeUps,
    private readonly settings: SharedWakeSignalSettings,
    private readonly events: QueueEvents,
  ) {
    super();
  }

  override async open(): Promise<void> {
    this.channel ??= await this.wakeUps.open(this.listener());
  }

  override notify(levels: readonly JobLevel[]): void {
    super.notify(levels);
    this.post(levels);
  }

  override async close(): Promise<void> {
    await Promise.race([this.sending, pause(CLOSE_PATIENCE, undefined, { ref: false })]);
    this.isClosed = true;
    await this.channel?.close();
  }

  private post(levels: readonly JobLevel[]): void {
    if (this.channel === undefined || this.isClosed) return;
    this.outbox.add(levels);
    this.sending ??= this.sendAll(this.channel);
  }

  private async sendAll(channel: WakeUpChannel): Promise<void> {
    await nextTurn();
    while (!this.outbox.isEmpty) {
      await this.send(channel, this.outbox.take());
      await pause(GAP);
    }
    this.sending = undefined;
  }

  private async send(channel: WakeUpChannel, levels: readonly JobLevel[]): Promise<void> {
    try {
      await channel.send(encodeHint({ from: this.id, service: this.settings.serviceName, levels }));
      this.ended('sending');
    } catch (error) {
      this.hasDropped = true;
      // Without a connection that is no news.
      if (this.isConnected) this.began('sending', error);
    }
  }

  private listener(): WakeUpListener {
    const { tablePrefix, serviceName, roles } = this.settings;
    return {
      topic: `${tablePrefix}wake_ups`,
      listens: roles.has('work'),
      clientName: `nestjs-persistent-queue:${serviceName}`,
      hear: (message) => this.hear(message),
      connected: () => this.connected(),
      lost: (error) => this.disconnected(error),
    };
  }

  private hear(message: string): void {
    const hint = decodeHint(message);
    if (this.isClosed || hint === undefined || hint.from === this.id) return;
    if (hint.service === this.settings.serviceName) this.tell(hint.levels, 'elsewhere');
  }

  /** Hints may have been lost, in both directions. */
  private connected(): void {
    if (this.isClosed) return;
    this.isConnected = true;
    this.ended('sending');
    this.ended('connection');
    this.tell([], 'elsewhere');
    if (this.hasDropped) this.post([]);
    this.hasDropped = false;
  }

  private disconnected(error: unknown): void {
    this.isConnected = false;
    this.began('connection', error);
  }

  private began(trouble: 'connection' | 'sending', error: unknown): void {
    if (this.isClosed) return;
    if (this.troubles.size === 0) {
      this.troubledSince = performance.now();
      this.events.emit({ name: 'wake-ups.lost', ...toldOf(error) });
    }
    this.troubles.add(trouble);
  }

  private ended(trouble: 'connection' | 'sending'): void {
    if (!this.troubles.delete(trouble) || this.troubles.size > 0 || this.isClosed) return;
    this.events.emit({ name: 'wake-ups.restored', after: Math.round(performance.now() - this.troubledSince) });
  }
}
