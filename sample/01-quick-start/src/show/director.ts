import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { readOrders } from '../orders/order-file.js';
import { Database, type Scene } from './database.js';
import type { Processes } from './processes.js';
import { createProgress, type Progress } from './progress.js';
import { report } from './report.js';

const STALLED_AFTER = 30_000;

/** Starts and kills the others and reads what they leave in the database, but takes no part in their work. */
export class Director {
  private readonly accepted: number;
  private readonly database: string;

  /** @throws OrderFileError */
  constructor(
    private readonly orderFile: string,
    folder: string,
    private readonly processes: Processes,
    private readonly interruption: AbortSignal,
  ) {
    this.accepted = readOrders(orderFile).filter(({ card }) => card !== 'declined').length;
    this.database = join(folder, 'shop.sqlite');
  }

  /** Answers whether every figure is right. */
  async direct(): Promise<boolean> {
    const shop = this.processes.start('shop', this.database, this.orderFile);
    await this.processes.ready(shop, this.interruption);
    const database = await Database.open(this.database);
    try {
      const killed = await this.perform(this.watch(database, () => this.processes.isRunning(shop)));
      await this.processes.stopAll();
      return report(await database.figures(), { accepted: this.accepted, killed });
    } finally {
      await database.close();
    }
  }

  /** Answers whether a worker was killed: with very few orders there may be no moment for it. */
  private async perform(scenes: AsyncIterable<Scene>): Promise<boolean> {
    const progress = createProgress(this.accepted);
    const worker = this.processes.start('worker', this.database);
    progress.say(`Worker 1 (process ${worker.pid}) starts.`);
    let killed = false;
    try {
      for await (const scene of scenes) {
        progress.show(scene);
        if (killed || !this.isTheMiddle(scene)) continue;
        killed = true;
        await this.processes.kill(worker);
        progress.say(`Worker 1 is killed by kill -9, in the middle of ${scene.running} notifications.`);
        this.replace(progress);
      }
      return killed;
    } finally {
      progress.stop();
    }
  }

  private replace(progress: Progress): void {
    const { pid } = this.processes.start('worker', this.database);
    progress.say(`Worker 2 (process ${pid}) starts, and takes over when the other has been silent for 3 s.`);
  }

  /** A quarter is done and several handlers are running: a kill takes their jobs with it. */
  private isTheMiddle({ notifications, running, open }: Scene): boolean {
    return notifications >= Math.floor(this.accepted / 4) && running > 0 && running >= Math.min(4, open);
  }

  /** Looks ten times a second, until the shop has closed and no job is open. */
  private async *watch(database: Database, shopIsOpen: () => boolean): AsyncGenerator<Scene> {
    let changedAt = performance.now();
    let last: Scene | undefined;
    for (;;) {
      this.processes.check();
      const closed = !shopIsOpen();
      const scene = await database.scene();
      yield scene;
      if (closed && scene.open === 0) return;
      if (JSON.stringify(scene) !== JSON.stringify(last)) changedAt = performance.now();
      if (performance.now() - changedAt > STALLED_AFTER) throw new Error('Nothing has happened for 30 s');
      last = scene;
      await setTimeout(100, undefined, { signal: this.interruption });
    }
  }
}
