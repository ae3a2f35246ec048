import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { CommandAnswer, CommandRequest } from '../processes/command-line.js';
import type { PackedPackage } from './packed-package.js';

const SCRIPT = join(process.cwd(), '.cache/processes/command-line.js');

export interface Answer {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export interface Surroundings {
  env?: Record<string, string>;
  cwd?: string;
  /** What it can read from stdin. */
  input?: string;
}

/** A way to carry out a command line of the packed program. */
export interface CommandLine {
  run(args: string[], env: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}

/** Starts a program as a shell would, with nothing in its environment that the test has not put there. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { env = {}, cwd, input = '' }: Surroundings = {},
): Promise<Answer> {
  // TMPDIR tells `npm test` whose process this is.
  const { PATH = '', TMPDIR = '' } = process.env;
  const child = spawn(program, args, { cwd, env: { PATH, TMPDIR, ...env } });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('close', resolve);
    child.on('error', reject);
  });
  // One that reads nothing may have ended already.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [exitCode, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { exitCode, stdout, stderr };
}

/** A process for each command, as its users have it. */
export function eachInItsProcess(packed: PackedPackage): CommandLine {
  return {
    run: (args, env) => runProgram(packed.program, args, { cwd: packed.folder, env }),
    close: () => Promise.resolve(),
  };
}

/** One process for all of them: what takes a second each is to load Nest and TypeORM. */
export class SharedProcess implements CommandLine {
  private readonly child: ChildProcess;
  private last: Promise<unknown> = Promise.resolve();

  constructor(packed: PackedPackage) {
    const script = join(packed.program, '../run.js');
    this.child = fork(SCRIPT, [script], {
      execArgv: [],
      cwd: packed.folder,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  run(args: string[], env: Record<string, string>): Promise<Answer> {
    const answer = this.last.then(() => this.ask({ args, env }));
    this.last = answer.catch(() => undefined);
    return answer;
  }

  async close(): Promise<void> {
    this.child.kill('SIGKILL');
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
  }

  private async ask(request: CommandRequest): Promise<CommandAnswer> {
    this.child.send(request);
    const asking = new AbortController();
    const hear = (event: string) => once(this.child, event, { signal: asking.signal });
    const [answer] = (await Promise.race([hear('message'), hear('exit')])) as [CommandAnswer];
    asking.abort();
    if (typeof answer !== 'object')
      throw new Error(`the program ended with ${String(answer)} at ${request.args.join(' ')}`);
    return answer;
  }
}
