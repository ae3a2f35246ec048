import type { MigrationInterface, QueryRunner } from 'typeorm';
import { resolveOptions } from '../options/resolve-options.js';
import { detectDialect } from '../typeorm/detect-dialect.js';
import { runOn } from '../typeorm/query-runner.executor.js';
import { installSchema, uninstallSchema } from '../typeorm/schema/schema.js';
import { drive } from '../typeorm/statement.js';

/**
 * Options of `persistentQueueMigrations()`.
 *
 * @publicApi
 */
export interface PersistentQueueMigrationOptions {
  /**
   * The same as in `PersistentQueueModule.forRoot()`.
   * @default 'pq_'
   */
  tablePrefix?: string;
}

/**
 * The migrations that make this library's tables: add them to the migrations of your DataSource. Released ones never change.
 *
 * @throws InvalidOptionError for a prefix that cannot be part of a table's name.
 *
 * @publicApi
 */
export function persistentQueueMigrations(
  options: PersistentQueueMigrationOptions = {},
): (new () => MigrationInterface)[] {
  const { tablePrefix } = resolveOptions(options);
  return [
    class PersistentQueueCreateTables1795000000000 implements MigrationInterface {
      // TypeORM orders migrations by the timestamp at the end of the name.
      readonly name = `PersistentQueueCreateTables_${tablePrefix}1795000000000`;

      async up(runner: QueryRunner): Promise<void> {
        const dialect = await detectDialect(runner.connection.options, runner);
        await drive(installSchema(dialect, tablePrefix), (step) => runOn(runner, dialect, step));
      }

      async down(runner: QueryRunner): Promise<void> {
        const dialect = await detectDialect(runner.connection.options, runner);
        await drive(uninstallSchema(tablePrefix), (step) => runOn(runner, dialect, step));
      }
    },
  ];
}
