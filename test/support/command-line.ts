import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

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
