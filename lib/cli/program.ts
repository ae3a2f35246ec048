import { createRequire } from 'node:module';
import { Command } from 'commander';
import { controlCommands } from './commands/control.commands.js';
import { doctorCommand } from './commands/doctor.command.js';
import { enqueueCommand } from './commands/enqueue.command.js';
import { inspectCommands } from './commands/inspect.commands.js';
import { pruneCommand } from './commands/prune.command.js';
import { schedulesCommands } from './commands/schedules.commands.js';
import { showCommand } from './commands/show.command.js';
import { tablesCommands } from './commands/tables.commands.js';
import { URL_VARIABLE } from './where.js';

const EXIT_CODES = `
Exit codes: 0 done; 1 the answer is no (not found, wrong state, the doctor found errors); 2 wrong usage;
3 the database cannot be reached, or its tables are missing or of another version.

Others on this machine see a password in --url (ps): put the URL into ${URL_VARIABLE}, or give --data-source.`;

export function createProgram(): Command {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
  const program = new Command('persistent-queue')
    .description('Looks after the jobs of nestjs-persistent-queue: tables, jobs, schedules, nodes.')
    .version(version, '-V, --version')
    .option(
      '--url <url>',
      `the database: mysql, mariadb or postgres://user:password@host/database, sqlite:///path (default: ${URL_VARIABLE})`,
    )
    .option('--data-source <file>', 'instead: a .js file that exports a TypeORM DataSource')
    .option('--service <name>', 'the serviceName of the application', 'default')
    .option('--prefix <prefix>', 'how the tables begin', 'pq_')
    .option('--json', 'answer in JSON, errors too')
    .option('--quiet', 'answer with ids alone, or with nothing')
    .option('--no-color', 'no colours on a terminal either')
    .option('--verbose', 'errors with their stacks')
    .addHelpText('after', EXIT_CODES)
    .configureHelp({ showGlobalOptions: true })
    // What is wrong with the usage is told as every other error is.
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  for (const add of [
    tablesCommands,
    enqueueCommand,
    inspectCommands,
    showCommand,
    controlCommands,
    pruneCommand,
    schedulesCommands,
    doctorCommand,
  ])
    add(program);
  return program;
}
