import { ForeignManagerError } from '../errors/foreign-manager.error.js';
import { InvalidJobError } from '../errors/invalid-job.error.js';
import { TransactionUnusableError } from '../errors/transaction-unusable.error.js';
import type { KnexTransaction, SqlConnection } from '../repository/job-repository.js';
import { callerConnection, type CallerConnection } from './caller-connection.js';
import { errorCode, type Dialect } from './dialects/dialect.js';
import type { Connected } from './queue-connection.js';
import { drive, statement, type Result, type Row, type Script, type Statement } from './statement.js';
import type { Turns } from './turns.js';
import {
  askCluster,
  askWhereabouts,
  describePlace,
  isSamePlace,
  readCluster,
  readWhereabouts,
  refuseNarrowCharset,
  type Whereabouts,
} from './whereabouts.js';

/** Set after a deadlock: it lives on only where each transaction is begun by the next statement (autocommit = 0). */
const REST = 'pq_rest';
const PROBE = 'pq_probe';

/**
 * Connections of other libraries, on which callers enqueue. Nothing tells us there whether a transaction is open, nor where the
 * connection leads: so both are asked.
 */
export class CallerConnections {
  /** Connections whose transaction the server has rolled back, with its error. */
  private readonly rolledBack = new WeakMap<object, unknown>();
  private home: Whereabouts | undefined;

  constructor(private readonly turns: Turns) {}

  /** Runs a script on the caller's connection, as part of whatever transaction is open there. Never tried again. */
  async run<T>(manager: SqlConnection | KnexTransaction, connected: Connected, script: Script<T>): Promise<T> {
    const connection = await callerConnection(manager, connected.tables.dialect);
    return this.turns.take(connection.driverObject, async () => {
      await this.refuseRest(connection);
      await this.refuseForeign(connection, connected);
      return drive(script, (step) => this.execute(connection, connected.tables.dialect, step));
    });
  }

  /** Each time, not once per connection: a statement such as USE or SET search_path leads it elsewhere. */
  private async refuseForeign({ ask }: CallerConnection, { database, tables }: Connected): Promise<void> {
    const question = askWhereabouts(tables);
    const given = readWhereabouts(firstRow((await ask(question)).rows));
    refuseNarrowCharset(given);
    if (this.home !== undefined && isSamePlace(this.home, given)) return;
    // Unknown until now, or the server has been restarted since.
    const home = readWhereabouts(firstRow((await database.query(question)).rows));
    this.home = home;
    if (isSamePlace(home, given)) return;
    if (tables.dialect.name !== 'postgres' && isSamePlace(home, { ...given, server: home.server })) {
      const cluster = readCluster((await database.query(askCluster())).rows);
      if (cluster !== undefined && cluster === readCluster((await ask(askCluster())).rows)) return;
    }
    const { job } = tables.names;
    throw new ForeignManagerError(describePlace(given, job), describePlace(home, job));
  }

  /** What is written between a deadlock and the next BEGIN would be committed without what was written before. */
  private async refuseRest(connection: CallerConnection): Promise<void> {
    const { driverObject } = connection;
    if (!this.rolledBack.has(driverObject)) return;
    if (!(await isBegunAnew(connection))) throw new TransactionUnusableError(this.rolledBack.get(driverObject));
    this.rolledBack.delete(driverObject);
  }

  private async execute(connection: CallerConnection, dialect: Dialect, step: Statement): Promise<Result> {
    try {
      const { rows, affected, insertId } = await connection.ask(step);
      const isAnswered = insertId !== undefined || rows.length > 0 || !step.sql.startsWith('INSERT');
      if (dialect.hasOnConflict || isAnswered) return { rows, affected, insertId: insertId ?? 0 };
      const [row] = (await connection.ask(statement('SELECT LAST_INSERT_ID() AS id'))).rows;
      return { rows, affected, insertId: Number(row?.['id'] ?? 0) };
    } catch (error) {
      if (dialect.goesOnAfterRollback) await this.remember(connection, dialect, error);
      throw error;
    }
  }

  /** An error that the caller's library has disguised may have been a deadlock too. */
  private async remember(connection: CallerConnection, dialect: Dialect, error: unknown): Promise<void> {
    const isRolledBack = dialect.isRolledBack(error);
    if (isRolledBack) await succeeds(connection, `SAVEPOINT ${REST}`);
    if (isRolledBack || typeof errorCode(error) !== 'number') this.rolledBack.set(connection.driverObject, error);
  }
}

/**
 * Whether a transaction is open that is not the rest of the one before. MySQL does not tell everybody: but outside of a transaction
 * a savepoint is gone as soon as it is set, and an error about that ends nothing.
 */
async function isBegunAnew(connection: CallerConnection): Promise<boolean> {
  if (await succeeds(connection, `RELEASE SAVEPOINT ${REST}`)) {
    await succeeds(connection, `SAVEPOINT ${REST}`);
    return false;
  }
  return (
    (await succeeds(connection, `SAVEPOINT ${PROBE}`)) && (await succeeds(connection, `RELEASE SAVEPOINT ${PROBE}`))
  );
}

function succeeds({ ask }: CallerConnection, sql: string): Promise<boolean> {
  return ask(statement(sql)).then(
    () => true,
    () => false,
  );
}

function firstRow(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row !== undefined) return row;
  throw new InvalidJobError(
    'manager',
    'an answer without rows',
    'Its query() must answer a promise of rows, of [rows, fields], of { rows } or of { affectedRows, insertId }.',
  );
}
