import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const PATIENCE = 10_000;

/** The processes of the show. Whatever happens, none of them is left behind. */
export class Processes {
  private readonly running = new Set<ChildProcess>();
  private readonly expectedToEnd = new Set<ChildProcess>();
  private failure: Error | undefined;

  start(script: 'shop' | 'worker', ...parameters: string[]): ChildProcess {
    const child = fork(fileURLToPath(new URL(`../${script}.js`, import.meta.url)), parameters);
    this.running.add(child);
    child.once('exit', (code, signal) => {
      this.running.delete(child);
      if (code === 0 || this.expectedToEnd.has(child)) return;
      this.failure = new Error(
        `The ${script} (process ${child.pid}) ended unexpectedly: ${signal ?? `exit code ${code}`}`,
      );
    });
    return child;
  }

  /** Resolves when the process has said that it is ready. */
  async ready(child: ChildProcess, signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    child.once('exit', () => ended.abort());
    await once(child, 'message', { signal: AbortSignal.any([signal, ended.signal]) }).catch((error: unknown) => {
      throw this.failure ?? error;
    });
  }

  isRunning(child: ChildProcess): boolean {
    return this.running.has(child);
  }

  /** @throws when a process has ended that nobody has asked to. */
  check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  /** `kill -9`: no handler, no transaction and no farewell is finished. */
  async kill(child: ChildProcess): Promise<void> {
    this.expectedToEnd.add(child);
    child.kill('SIGKILL');
    await this.ended(child);
  }

  /** Asks every process to end, and ends those that do not. */
  async stopAll(): Promise<void> {
    await Promise.all([...this.running].map((child) => this.stop(child)));
  }

  private async stop(child: ChildProcess): Promise<void> {
    this.expectedToEnd.add(child);
    child.kill('SIGTERM');
    const tooLate = new AbortController();
    const ended = this.ended(child).then(() => tooLate.abort());
    await setTimeout(PATIENCE, undefined, { signal: tooLate.signal }).then(
      () => child.kill('SIGKILL'),
      () => undefined,
    );
    await ended;
  }

  private async ended(child: ChildProcess): Promise<void> {
    if (this.running.has(child)) await once(child, 'exit');
  }
}
