import { Injectable } from '@nestjs/common';
import { NotRunningError } from '../errors/not-running.error.js';
import { UnwritableError } from '../errors/unwritable.error.js';
import { QueueEvents } from '../events/queue-events.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { ApplicationDataSource } from './application-data-source.js';
import type { Database } from './database.js';
import { openDatabase } from './open-database.js';
import { queueTables, type QueueTables } from './queue-tables.js';
import { checkSchema, synchronizeSchema } from './schema/schema.js';
import type { Script } from './statement.js';
import { createShedlock } from './statements/shedlock.js';

export interface Connected {
  readonly database: Database;
  readonly tables: QueueTables;
}

/**
 * The module's own way to the database, shared by its repositories. Opened on first use, because an application may enqueue before
 * this module is started; a failed try is not kept.
 */
@Injectable()
export class QueueConnection {
  private connecting: Promise<Connected> | undefined;
  private closed = false;

  constructor(
    private readonly application: ApplicationDataSource,
    private readonly options: ResolvedOptions,
    private readonly events: QueueEvents,
  ) {}

  get(): Promise<Connected> {
    if (this.closed) return Promise.reject(new NotRunningError('A JobQueue or JobRepository call'));
    this.connecting ??= this.connect().catch((error: unknown) => {
      this.connecting = undefined;
      throw error;
    });
    return this.connecting;
  }

  /** Each statement is committed by itself. */
  async run<T>(script: (tables: QueueTables) => Script<T>): Promise<T> {
    const { database, tables } = await this.get();
    return database.run(() => script(tables));
  }

  /** @throws UnwritableError for what the database refuses, and would refuse again. */
  async transaction<T>(script: (tables: QueueTables) => Script<T>): Promise<T> {
    const { database, tables } = await this.get();
    try {
      return await database.transaction(() => script(tables));
    } catch (error) {
      if (tables.dialect.isRefused(error)) throw new UnwritableError('refused', error);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    const connected = await this.connecting?.catch(() => undefined);
    this.connecting = undefined;
    await connected?.database.close();
  }

  private async connect(): Promise<Connected> {
    const { tablePrefix, serviceName, connections, synchronize } = this.options;
    const application = this.application.get();
    const database = await openDatabase(application, { connections, serviceName }, (retry) =>
      this.events.databaseRetried(retry),
    );
    const isSqlite = database.dialect.name === 'sqlite';
    try {
      if (synchronize ?? isSqlite) await this.synchronize(database);
      else await checkSchema(database, tablePrefix);
    } catch (error) {
      await database.close();
      throw error;
    }
    if (isSqlite) this.warnOfBusyWait(Reflect.get(application.options, 'timeout') ?? 5_000);
    return { database, tables: queueTables(database.dialect, tablePrefix, serviceName) };
  }

  private async synchronize(database: Database): Promise<void> {
    const { tablePrefix, lockTable } = this.options;
    await synchronizeSchema(database, tablePrefix);
    if (lockTable !== undefined) await database.transaction(() => createShedlock(database.dialect, lockTable));
  }

  private warnOfBusyWait(timeout: unknown): void {
    if (Number(timeout) > 0) this.events.emit({ name: 'sqlite.busy-timeout', timeout: Number(timeout) });
  }
}
