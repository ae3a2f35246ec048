import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Attempt } from '../job/attempt.js';
import { OperationRepository, type RowSettlement, type TakenOver } from '../repository/operation-repository.js';
import { processName } from '../support/process-name.js';
import { ApplicationDataSource } from './application-data-source.js';
import { Callers } from './callers.js';
import { QueueConnection } from './queue-connection.js';
import type { QueueTables } from './queue-tables.js';
import type { Row, Script } from './statement.js';
import { selectRowAttempts, selectRunning, startRows, takeOverRows } from './statements/operation-rows.js';
import { readAttempt } from './statements/read-jobs.js';
import { settleRows } from './statements/settle-rows.js';

@Injectable()
export class SqlOperationRepository extends OperationRepository {
  private readonly callers: Callers;

  constructor(
    application: ApplicationDataSource,
    private readonly connection: QueueConnection,
  ) {
    super();
    this.callers = new Callers(application);
  }

  takeOver(manager: EntityManager, operation: string): Promise<TakenOver> {
    return this.inside(manager, (tables) => takeOverRows(tables, operation));
  }

  start(manager: EntityManager, operation: string, fence: number, rows: readonly string[]): Promise<number> {
    return this.inside(manager, (tables) => startRows(tables, operation, fence, processName(), rows));
  }

  async running(manager: EntityManager, operation: string, fence: number, rows: readonly string[]): Promise<string[]> {
    const found = await this.inside(manager, (tables) => runningRows(tables, operation, fence, rows));
    return found.map((row) => String(row['row_id']));
  }

  settle(
    manager: EntityManager,
    operation: string,
    settlements: readonly RowSettlement[],
    node: string,
  ): Promise<void> {
    return this.inside(manager, (tables) => settleRows(tables, operation, settlements, node));
  }

  async history(operation: string, row: string): Promise<Attempt[]> {
    const { database, tables } = await this.connection.get();
    return (await database.query(selectRowAttempts(tables, operation, row))).rows.map(readAttempt);
  }

  private async inside<T>(manager: EntityManager, script: (tables: QueueTables) => Script<T>): Promise<T> {
    const connected = await this.connection.get();
    return this.callers.run(manager, connected, () => script(connected.tables));
  }
}

function* runningRows(
  tables: QueueTables,
  operation: string,
  fence: number,
  ids: readonly string[],
): Script<readonly Row[]> {
  return (yield selectRunning(tables, operation, fence, ids)).rows;
}
