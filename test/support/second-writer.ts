import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Command } from '../processes/second-writer.js';

const SCRIPT = join(process.cwd(), '.cache/processes/second-writer.js');

/** Another process on the same SQLite file: it takes the write lock, and sees only what has really been committed. */
export class SecondWriter {
  private constructor(private readonly child: ChildProcess) {}

  static async start(database: string): Promise<SecondWriter> {
    const writer = new SecondWriter(
      fork(SCRIPT, [database], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
    );
    await writer.answer();
    return writer;
  }

  async ask(command: Command): Promise<unknown> {
    this.child.send(command);
    const { error, value } = await this.answer();
    if (error !== undefined) throw new Error(`the other process could not ${command}: ${error}`);
    return value;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
  }

  private async answer(): Promise<{ value?: unknown; error?: string }> {
    const [first] = (await Promise.race([once(this.child, 'message'), once(this.child, 'exit')])) as [unknown];
    if (typeof first !== 'object' || first === null) throw new Error(`the other process ended with ${String(first)}`);
    return first;
  }
}
