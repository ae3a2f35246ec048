import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LockHolderMessage, LockHolderSettings } from '../processes/lock-holder.js';

const SCRIPT = join(process.cwd(), '.cache/processes/lock-holder.js');

type Told<Key extends string> = Extract<LockHolderMessage, Record<Key, unknown>>;

/** A process that takes the lock, writes into the ledger for as long as it holds it, and begins again. */
export class LockHolderProcess {
  private readonly messages: LockHolderMessage[] = [];
  private readonly child: ChildProcess;
  /** Whether it was ever frozen. */
  wasFrozen = false;

  constructor(settings: LockHolderSettings) {
    const args = [JSON.stringify(settings)];
    this.child = fork(SCRIPT, args, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.child.on('message', (message) => this.messages.push(message as LockHolderMessage));
  }

  get pid(): number {
    return this.child.pid as number;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The fences it has held the lock with. */
  get fences(): number[] {
    return this.told('held').map(({ held }) => held);
  }

  /** What it has said of one kind. */
  told<Key extends 'held' | 'lost' | 'refused' | 'stoodStill' | 'failed'>(key: Key): Told<Key>[] {
    return this.messages.filter((message): message is Told<Key> => key in message);
  }

  freeze(): void {
    this.wasFrozen = true;
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }

  /** `kill -9`, and waits until the process is gone. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}
