#!/usr/bin/env node
import { EXIT } from './exit-code.js';
import { run } from './run.js';

// Whoever reads has seen enough, as `| head` has.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.done);
  throw error;
});

// What is under way is one transaction, and the database undoes it.
process.once('SIGINT', () => process.exit(EXIT.interrupted));

const exitCode = await run(process.argv.slice(2));
// Whatever a --data-source file has opened beside its DataSource would keep the process alive.
process.stdout.write('', () => process.exit(exitCode));
