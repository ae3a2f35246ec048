import { Injectable } from '@nestjs/common';
import { QueueEvents } from '../events/queue-events.js';
import { HandlerClock } from '../handler/handler-clock.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import type { Service } from '../support/service.js';

/** Milliseconds. */
const LONGEST_TICK = 1_000;
const SHORTEST_BLOCK = 1_000;
/** Timers are late by a little, and a handler is not all that happens in a turn. */
const TOLERANCE = 0.9;

/** Ticks as often as the event loop lets it, and tells when that was kept from everything by a handler. */
@Injectable()
export class EventLoopWatch implements Service {
  private readonly interval: number;
  private readonly listeners = new Set<() => void>();
  private timer: NodeJS.Timeout | undefined;
  private ticked = 0;

  constructor(
    private readonly clock: HandlerClock,
    private readonly events: QueueEvents,
    private readonly options: ResolvedOptions,
  ) {
    this.interval = Math.min(options.leaseBeat, LONGEST_TICK);
  }

  /** `listener` is called with each tick. */
  onTick(listener: () => void): void {
    this.listeners.add(listener);
  }

  start(): void {
    if (this.timer !== undefined) return;
    this.ticked = performance.now();
    this.timer = setInterval(() => this.tick(), this.interval).unref();
    this.tell();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private tick(): void {
    const blocked = performance.now() - this.ticked - this.interval;
    this.ticked += blocked + this.interval;
    this.tell();
    if (blocked > Math.max(this.options.leaseBeat, SHORTEST_BLOCK)) {
      const handlers = this.clock.suspects(blocked * TOLERANCE);
      this.events.emit({ name: 'node.blocked', for: Math.round(blocked), handlers });
    }
    this.clock.reset();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
