import { CommanderError } from 'commander';
import { EXIT, exitCodeOf } from './exit-code.js';
import { Output } from './output.js';
import { createProgram } from './program.js';

/** Carries out one command line; answers the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  const has = (flag: string) => argv.includes(flag);
  const output = new Output({ json: has('--json'), verbose: has('--verbose'), color: !has('--no-color') });
  try {
    await createProgram().parseAsync(argv, { from: 'user' });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return ofUsage(error, output);
    output.error(error);
    return exitCodeOf(error);
  }
}

function ofUsage(error: CommanderError, output: Output): number {
  if (error.exitCode === 0) return EXIT.done;
  // It has shown the help.
  if (error.code !== 'commander.help')
    output.error(new Error(withoutSecrets(error.message.replace(/^error: /, ''))), EXIT.usage);
  return EXIT.usage;
}

/** An option that was misspelt is told with its value, and a URL in the wrong place as if it were a command: there may be a password in it. */
function withoutSecrets(message: string): string {
  return message.replace(/(unknown option '[^'=]*)=.*'/, "$1'").replaceAll(/\/\/.*@/g, '//…@');
}
