import type { DataSource, QueryRunner } from 'typeorm';

/** When the process dies: with the COMMIT of a step not sent yet, on its way, or answered. */
export type Moment = 'before' | 'during' | 'after';

interface Target {
  readonly job: string;
  readonly step: string;
  readonly moment: Moment;
}

type Query = (this: object, sql: string, parameters?: unknown[], structured?: boolean) => Promise<unknown>;

interface SqliteStatement {
  run: (...parameters: unknown[]) => unknown;
}

interface SqliteHandle {
  prepare(sql: string): SqliteStatement;
  exec(sql: string): unknown;
}

/** Ends this process, as `kill -9` does, around the commit of one step. It watches what TypeORM and SQLite's driver are told. */
export class Killer {
  private target: Target | undefined;
  /** Connections whose transaction has written the end of the step. */
  private readonly writers = new WeakSet<object>();

  arm(target: Target): void {
    this.target = target;
  }

  watch(dataSource: DataSource): void {
    this.watchRunners(Object.getPrototypeOf(dataSource.createQueryRunner()) as QueryRunner);
    const handle: unknown = Reflect.get(dataSource.driver, 'databaseConnection');
    if (typeof handle === 'object' && handle !== null) this.watchSqlite(Object.getPrototypeOf(handle) as SqliteHandle);
  }

  private watchRunners(prototype: QueryRunner): void {
    const query = Reflect.get(prototype, 'query') as Query;
    // oxlint-disable-next-line typescript/no-this-alias -- `this` is the runner inside
    const killer = this;
    prototype.query = async function (this: object, sql: string, parameters?: unknown[], structured?: boolean) {
      killer.note(this, sql, parameters);
      const moment = sql === 'COMMIT' ? killer.momentOf(this) : undefined;
      if (moment === 'before') die();
      if (moment === 'during') setImmediate(die);
      const answer = await query.call(this, sql, parameters, structured);
      // SQLite's driver answers at once, and a job may come to its end before the event loop has another turn.
      if (moment !== undefined) die();
      return answer;
    } as never;
  }

  /** The module's own connection, whose commit is one call: there is no `during`. */
  private watchSqlite(prototype: SqliteHandle): void {
    const prepare = Reflect.get(prototype, 'prepare');
    const exec = Reflect.get(prototype, 'exec');
    // oxlint-disable-next-line typescript/no-this-alias -- `this` is the handle inside
    const killer = this;
    prototype.prepare = function (this: SqliteHandle, sql) {
      const prepared = prepare.call(this, sql);
      const run = prepared.run.bind(prepared);
      prepared.run = (...parameters) => {
        killer.note(this, sql, parameters);
        return run(...parameters);
      };
      return prepared;
    };
    prototype.exec = function (this: SqliteHandle, sql) {
      const moment = sql === 'COMMIT' ? killer.momentOf(this) : undefined;
      if (moment === 'before') die();
      const answer = exec.call(this, sql);
      if (moment !== undefined) die();
      return answer;
    };
  }

  private note(connection: object, sql: string, parameters: unknown[] = []): void {
    if (this.target === undefined || !/^(INSERT INTO|UPDATE) pq_step/.test(sql)) return;
    const { job, step } = this.target;
    if ([Number(job), step, 'succeeded'].every((value) => parameters.includes(value))) this.writers.add(connection);
  }

  private momentOf(connection: object): Moment | undefined {
    return this.writers.has(connection) ? this.target?.moment : undefined;
  }
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}
