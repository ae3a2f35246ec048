import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import type { Scene } from './database.js';

const BETWEEN_LINES = 2_000;

/** What the audience sees while the processes work: bars on a terminal, now and then a line elsewhere. */
export interface Progress {
  show(scene: Scene): void;
  say(line: string): void;
  stop(): void;
}

export function createProgress(total: number): Progress {
  return process.stdout.isTTY ? new Bars(total) : new Lines(total);
}

class Bars implements Progress {
  private readonly bars = new MultiBar(
    { format: '{name} {bar} {value}/{total}', stream: process.stdout, hideCursor: true },
    Presets.shades_classic,
  );
  private readonly orders: SingleBar;
  private readonly notifications: SingleBar;

  constructor(total: number) {
    this.orders = this.bars.create(total, 0, { name: 'orders       ' });
    this.notifications = this.bars.create(total, 0, { name: 'notifications' });
  }

  show({ orders, notifications }: Scene): void {
    this.orders.update(orders);
    this.notifications.update(notifications);
  }

  say(line: string): void {
    this.bars.log(`${line}\n`);
  }

  stop(): void {
    this.bars.update();
    this.bars.stop();
  }
}

class Lines implements Progress {
  private last = -Infinity;

  constructor(private readonly total: number) {}

  show({ orders, notifications }: Scene): void {
    const now = performance.now();
    if (now - this.last < BETWEEN_LINES) return;
    this.last = now;
    this.say(`orders ${orders}/${this.total}, notifications ${notifications}/${this.total}`);
  }

  say(line: string): void {
    console.log(line);
  }

  stop(): void {
    // Nothing to put back: lines stay as they are.
  }
}
