import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { DataSourceOptions } from 'typeorm';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import type { PersistentQueueOptions } from '../../lib/options/module-options.js';

const SCRIPT = join(process.cwd(), '.cache/processes/worker.js');

/** A worker in a process of its own: the built library, a real application, real signals. */
export class WorkerProcess {
  /** Ids of the jobs whose handlers it has begun, in order. */
  readonly started: string[] = [];
  /** Ids of the jobs whose signal was aborted. */
  readonly aborted: string[] = [];
  /** What it has told about itself since its application has started. */
  readonly events: QueueEvent[] = [];

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (message) => {
      if (typeof message === 'object' && message !== null && 'started' in message)
        this.started.push(String(message.started));
      if (typeof message === 'object' && message !== null && 'aborted' in message)
        this.aborted.push(String(message.aborted));
      if (typeof message === 'object' && message !== null && 'event' in message)
        this.events.push(message.event as QueueEvent);
    });
  }

  /** Starts a process and waits until its application has started. */
  static async start(
    database: DataSourceOptions,
    queue: PersistentQueueOptions,
    moreTypes = 0,
  ): Promise<WorkerProcess> {
    const worker = WorkerProcess.launch(database, queue, moreTypes);
    const [first] = (await Promise.race([once(worker.child, 'message'), once(worker.child, 'exit')])) as [unknown];
    if (typeof first !== 'object' || first === null)
      throw new Error(`the worker ended with ${String(first)} before it was ready`);
    return worker;
  }

  /** Starts a process that may die at any moment. */
  static launch(database: DataSourceOptions, queue: PersistentQueueOptions, moreTypes = 0): WorkerProcess {
    const settings = JSON.stringify({ database, queue, moreTypes });
    // Without --experimental-vm-modules and the like: a worker runs as a user's would.
    return new WorkerProcess(fork(SCRIPT, [settings], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }));
  }

  get pid(): number {
    return this.child.pid as number;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** `kill -9`, and waits until the process is gone. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  /** Freezes it, threads and all, until `thaw()`. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }

  /** As a deployment would stop it. */
  stop(): Promise<void> {
    return this.end('SIGTERM');
  }

  async ended(): Promise<void> {
    if (this.isRunning) await once(this.child, 'exit');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    this.child.kill(signal);
    await this.ended();
  }
}
