import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { DataSourceOptions } from 'typeorm';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import type { PersistentQueueOptions } from '../../lib/options/module-options.js';
import type { WorkerCommand, WorkerMessage, WorkerSettings } from '../processes/worker.js';
import { deferred } from './wait-until.js';

/** What a worker has beside the handlers of all of them. */
export type WorkerExtras = Pick<WorkerSettings, 'moreTypes' | 'ownTable' | 'redis'>;

const SCRIPT = join(process.cwd(), '.cache/processes/worker.js');

/** A worker in a process of its own: the built library, a real application, real signals. */
export class WorkerProcess {
  /** Ids of the jobs whose handlers it has begun, in order. */
  readonly started: string[] = [];
  /** When they were called, in milliseconds of the machine's clock. */
  readonly startedAt = new Map<string, number>();
  /** Ids of the jobs whose signal was aborted. */
  readonly aborted: string[] = [];
  /** Ids of the jobs that it has enqueued. */
  readonly enqueued: string[] = [];
  /** Names of the errors that its enqueues, and the transactions of its handlers, have ended with. */
  readonly refused: string[] = [];
  /** How many threads it has had, those that have ended included. */
  threads = 0;
  /** What it has told about itself since its application has started. */
  readonly events: QueueEvent[] = [];

  private readonly ready = deferred();

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (message) => this.hear(message as WorkerMessage));
  }

  /** Starts a process and waits until its application has started. */
  static async start(
    database: DataSourceOptions,
    queue: PersistentQueueOptions,
    extras: WorkerExtras = {},
  ): Promise<WorkerProcess> {
    const worker = WorkerProcess.launch(database, queue, extras);
    await Promise.race([worker.ready.promise, worker.ended()]);
    if (!worker.isRunning)
      throw new Error(`the worker ended with ${worker.child.exitCode ?? worker.child.signalCode} before it was ready`);
    return worker;
  }

  /** Starts a process that may die at any moment. */
  static launch(database: DataSourceOptions, queue: PersistentQueueOptions, extras: WorkerExtras = {}): WorkerProcess {
    const settings = JSON.stringify({ database, queue, ...extras } satisfies WorkerSettings);
    // Without --experimental-vm-modules and the like: a worker runs as a user's would.
    return new WorkerProcess(fork(SCRIPT, [settings], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }));
  }

  get pid(): number {
    return this.child.pid as number;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Of its events, those of this name. */
  named<Name extends QueueEvent['name']>(name: Name): Extract<QueueEvent, { name: Name }>[] {
    return this.events.filter((event): event is Extract<QueueEvent, { name: Name }> => event.name === name);
  }

  /** What comes of it is in `enqueued` or `refused`. Where there is room, it runs the job itself before anybody else sees it. */
  enqueue(type: string, payload: unknown): void {
    this.command({ enqueue: type, payload });
  }

  /** Ends the threads of its process, as a lack of memory would. */
  endThreads(): void {
    this.command('end threads');
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

  private command(command: WorkerCommand): void {
    this.child.send(command);
  }

  private hear(message: WorkerMessage): void {
    if ('ready' in message) this.ready.resolve();
    else if ('started' in message) this.hasStarted(message.started, message.at);
    else if ('aborted' in message) this.aborted.push(message.aborted);
    else if ('enqueued' in message) this.enqueued.push(message.enqueued);
    else if ('refused' in message) this.refused.push(message.refused);
    else if ('threads' in message) this.threads = message.threads;
    else if ('event' in message) this.events.push(message.event);
  }

  private hasStarted(id: string, at: number): void {
    this.started.push(id);
    this.startedAt.set(id, at);
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    this.child.kill(signal);
    await this.ended();
  }
}
