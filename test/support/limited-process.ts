import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LimitedSettings } from '../processes/limited.js';

const SCRIPT = join(process.cwd(), '.cache/processes/limited.js');

/** A process that runs jobs of tenants. */
export class LimitedProcess {
  /** Whether its application has started. */
  isReady = false;
  private readonly child: ChildProcess;

  constructor(settings: LimitedSettings) {
    const args = [JSON.stringify(settings)];
    this.child = fork(SCRIPT, args, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.child.once('message', () => (this.isReady = true));
  }

  get pid(): number {
    return this.child.pid as number;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** `kill -9`, and waits until the process is gone. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}
