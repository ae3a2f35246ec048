import type { DataSource, QueryRunner } from 'typeorm';
import { UnreachableDatabaseError } from '../../errors/unreachable-database.error.js';
import { messageOf } from '../../support/message-of.js';
import { within } from '../../support/within.js';
import { answerWithin } from '../connection-deadline.js';
import { detectDialect } from '../detect-dialect.js';
import { runOn } from '../query-runner.executor.js';
import { queueTables, type QueueTables } from '../queue-tables.js';
import { drive, type Script } from '../statement.js';

/** In milliseconds: whoever asks what is wrong must be told, also when it is the database that hangs. */
const CONNECT_PATIENCE = 10_000;
const ANSWER_PATIENCE = 30_000;

/** A database that is only looked at, over the connections of a DataSource: also one whose tables are not ours or not there. */
export class Patient {
  private constructor(
    readonly dataSource: DataSource,
    readonly tables: QueueTables,
    readonly tablePrefix: string,
  ) {}

  /** @throws UnsupportedDatabaseError */
  static async meet(dataSource: DataSource, tablePrefix: string, service: string): Promise<Patient> {
    const dialect = await within(CONNECT_PATIENCE, () => detectDialect(dataSource.options, dataSource), unreachable);
    return new Patient(dataSource, queueTables(dialect, tablePrefix, service), tablePrefix);
  }

  /** @throws UnreachableDatabaseError when there is no connection to be had. */
  async ask<T>(script: (tables: QueueTables) => Script<T>): Promise<T> {
    const { dialect } = this.tables;
    const runner = this.dataSource.createQueryRunner('master');
    try {
      const connection = await this.connect(runner);
      return await drive(script(this.tables), (step) =>
        answerWithin(ANSWER_PATIENCE, connection, runOn(runner, dialect, step)),
      );
    } finally {
      await runner.release();
    }
  }

  private async connect(runner: QueryRunner): Promise<object> {
    try {
      return (await within(CONNECT_PATIENCE, () => runner.connect(), unreachable)) as object;
    } catch (error) {
      const cure = 'Look whether the server still runs, and whether it has connections left.';
      const mistake = `There is no connection to be had: ${messageOf(error)}`;
      throw new UnreachableDatabaseError(mistake, this.dataSource.options.type, cure, { cause: error });
    }
  }
}

function unreachable(): Error {
  return new Error(`The database has not answered within ${CONNECT_PATIENCE} ms`);
}
