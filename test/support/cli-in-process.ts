import { jest } from '@jest/globals';
import { run } from '../../lib/cli/run.js';
import type { Answer } from './command-line.js';

/** Carries out a command line in this process, without a package to be packed first: one at a time. */
export async function cli(args: readonly string[]): Promise<Answer> {
  const [out, err] = [catching('stdout'), catching('stderr')];
  try {
    const exitCode = await run(args);
    return { exitCode, stdout: out.text(), stderr: err.text() };
  } finally {
    out.stop();
    err.stop();
  }
}

function catching(name: 'stdout' | 'stderr'): { text: () => string; stop: () => void } {
  const pieces: string[] = [];
  const spy = jest.spyOn(process[name], 'write').mockImplementation((piece) => pieces.push(String(piece)) > 0);
  return { text: () => pieces.join(''), stop: () => spy.mockRestore() };
}
