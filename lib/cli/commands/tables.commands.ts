import type { Command } from 'commander';
import { CommandRefusedError } from '../../errors/command-refused.error.js';
import { SchemaError } from '../../errors/schema.error.js';
import { UnsupportedDatabaseError } from '../../errors/unsupported-database.error.js';
import type { Database } from '../../typeorm/database.js';
import type { LivingNode, TableSize } from '../../typeorm/schema/inventory.js';
import { withTools, type Tools } from '../action.js';
import type { Output } from '../output.js';
import { findDatabase } from '../where.js';
import { withTables } from '../with-tables.js';

/** Tables are made and removed without an application: these commands load what they need themselves. */
const loadSchema = () => import('../../typeorm/schema/schema.js');
const loadInventory = () => import('../../typeorm/schema/inventory.js');

interface UninstallOptions {
  readonly yes?: boolean;
  readonly force?: boolean;
}

export function tablesCommands(program: Command): void {
  program
    .command('install')
    .summary('make the tables, or bring them up to date')
    .description('Makes the tables, or brings them up to date. Where they are already, nothing changes.')
    .option('--print', 'print the SQL instead of running it; no server is asked')
    .action(
      withTools((tools, { print }: { print?: boolean }) => (print === true ? printSchema(tools) : install(tools))),
    );
  program
    .command('upgrade')
    .summary('bring the tables up to date')
    .description('Brings the tables up to the version of this package. Where there are none, none are made.')
    .action(withTools(upgrade));
  program
    .command('uninstall')
    .summary('delete the tables and everything in them')
    .description('Deletes the tables with this prefix, of all services, and everything in them.')
    .option('--yes', 'do it: without it you are told what would be deleted')
    .option('--force', 'also while nodes are alive, which then fail')
    .action(withTools(uninstall));
}

async function install({ settings, output }: Tools): Promise<void> {
  const { synchronizeSchema, SCHEMA_VERSION: version } = await loadSchema();
  const { prefix } = settings;
  const found = await withTables(settings, true, async (database) => {
    await refuseStrangers(database, prefix);
    return synchronizeSchema(database, prefix);
  });
  const change = found === version ? 'were there already' : found === 0 ? 'are made' : `are upgraded from ${found}`;
  output.done({ prefix, found, version }, `The tables ${prefix}* ${change} (version ${version}).`);
}

async function upgrade({ settings, output }: Tools): Promise<void> {
  const { readVersion, synchronizeSchema, SCHEMA_VERSION: version } = await loadSchema();
  const { prefix } = settings;
  const found = await withTables(settings, false, async (database) => {
    // There may be others under another prefix, or in another database.
    if ((await readVersion(database, prefix)) === 0) throw new SchemaError(0, version, prefix);
    return synchronizeSchema(database, prefix);
  });
  const change = found === version ? 'are up to date' : `are upgraded from ${found}`;
  output.done({ prefix, found, version }, `The tables ${prefix}* ${change} (version ${version}).`);
}

async function printSchema({ settings, output }: Tools): Promise<void> {
  const { schemaStatements, SCHEMA_VERSION: version } = await loadSchema();
  const { assumedDialect } = await import('../../typeorm/detect-dialect.js');
  const { options } = await findDatabase(settings);
  const dialect = assumedDialect(options.type);
  if (dialect === undefined)
    throw new UnsupportedDatabaseError(
      options.type,
      'There are no tables for this database',
      'Use one of those in docs/databases.md.',
    );
  const statements = schemaStatements(dialect, settings.prefix);
  const comment = `-- ${settings.prefix}* of nestjs-persistent-queue, version ${version}, for ${NAMES[dialect.name]}`;
  output.answer({ dialect: dialect.name, version, statements }, () =>
    [comment, ...statements.map((statement) => `${statement};`)].join('\n\n'),
  );
}

const NAMES = {
  mariadb: 'MariaDB 10.6 and newer',
  mysql: 'MySQL 8.0.17 and newer (for MariaDB: --url mariadb://; before 8.0.17: without --print)',
  postgres: 'PostgreSQL 13 and newer',
  sqlite: 'SQLite 3.38 and newer',
} as const;

async function uninstall({ settings, output }: Tools, { yes = false, force = false }: UninstallOptions): Promise<void> {
  const { uninstallSchema } = await loadSchema();
  const { countRows, livingNodes } = await loadInventory();
  const { prefix } = settings;
  await withTables(settings, false, async (database) => {
    const names = await refuseStrangers(database, prefix);
    if (names.length === 0)
      throw new CommandRefusedError('There are no tables with this prefix', prefix, 'Name theirs with --prefix.');
    const nodes = await livingNodes(database, prefix);
    // Who has decided does not wait until millions of rows are counted.
    const tables: Described[] = yes ? names.map((table) => ({ table })) : await countRows(database, names);
    const refusal = refusalOf(tables, nodes, yes, force);
    if (refusal === undefined) await database.transaction(() => uninstallSchema(prefix));
    output.answer(
      { tables, nodes, deleted: refusal === undefined },
      () => describeTables(tables, output) + (refusal === undefined ? '\n\nThese tables are deleted.' : ''),
      () => '',
    );
    if (refusal !== undefined) throw refusal;
  });
}

/** Answers which tables are there; neither adopts nor deletes those of an application that has given some the same names. */
async function refuseStrangers(database: Database, prefix: string): Promise<string[]> {
  const { tablesThere, whyNotOurs } = await loadInventory();
  const tables = await tablesThere(database, prefix);
  // Looked at last: what another process installs meanwhile has its version before it has anything else.
  const why = tables.length === 0 ? undefined : await whyNotOurs(database, prefix);
  if (why === undefined) return tables;
  const cure =
    "Name the queue's own prefix with --prefix, as tablePrefix in the application; give it one that nothing else has.";
  throw new CommandRefusedError(
    `These tables are not the queue's: ${why}. Nothing was changed`,
    tables.join(', '),
    cure,
  );
}

type Described = Pick<TableSize, 'table'> & Partial<TableSize>;

function describeTables(tables: readonly Described[], output: Output): string {
  if (tables.every(({ rows }) => rows === undefined))
    return output.table(
      ['TABLE'],
      tables.map(({ table }) => [table]),
    );
  return output.table(
    ['TABLE', 'ROWS'],
    tables.map(({ table, rows, hasMore }) => [table, hasMore === true ? `more than ${rows}` : rows]),
  );
}

function refusalOf(
  tables: readonly Described[],
  nodes: readonly LivingNode[],
  yes: boolean,
  force: boolean,
): CommandRefusedError | undefined {
  if (nodes.length > 0 && !force) {
    const names = nodes.map(({ service, name }) => `${name} of ${service}`);
    const cure = 'Stop them first, or give --force: then they fail.';
    return new CommandRefusedError(`Nothing was deleted: ${nodes.length} nodes are alive`, names.join(', '), cure);
  }
  if (yes) return undefined;
  const rows = tables.reduce((sum, each) => sum + (each.rows ?? 0), 0);
  const least = tables.some(({ hasMore }) => hasMore) ? 'more than ' : '';
  const mistake = `Nothing was deleted: these are ${tables.length} tables with ${least}${rows} rows`;
  return new CommandRefusedError(mistake, 'no --yes', 'Give --yes to delete them.');
}
