#!/usr/bin/env node
import { EXIT } from './exit-code.js';
import { run } from './run.js';

// Whoever reads has seen enough, as `| head` has. The command goes on to its end: only there it is known whether the answer is no.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

// What is under way is undone by the database; what was done before, in batches or by DDL of MariaDB and MySQL, stays.
process.once('SIGINT', () => process.exit(EXIT.interrupted));

const exitCode = await run(process.argv.slice(2));
// Whatever a --data-source file has opened beside its DataSource would keep the process alive.
process.stdout.write('', () => process.exit(exitCode));
