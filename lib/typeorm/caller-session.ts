import { EntityManager, type DataSource, type QueryRunner } from 'typeorm';
import { ForeignManagerError } from '../errors/foreign-manager.error.js';
import { InvalidJobError } from '../errors/invalid-job.error.js';
import { TransactionUnusableError } from '../errors/transaction-unusable.error.js';
import { UnsupportedDatabaseError } from '../errors/unsupported-database.error.js';
import type { JobManager } from '../repository/job-repository.js';
import type { Dialect } from './dialects/dialect.js';
import { runOn } from './query-runner.executor.js';
import { drive, type Script } from './statement.js';
import type { Turns } from './turns.js';

/** What TypeORM gives to a caller. */
export type TypeOrmManager = EntityManager | QueryRunner;

/** Transactions of TypeORM, in which callers enqueue. */
export class CallerSessions {
  /** Connections whose open transaction the database has rolled back: what is written on them now would be committed alone. */
  private readonly doomed = new WeakMap<QueryRunner, unknown>();

  constructor(private readonly turns: Turns) {}

  /** Runs a script on the caller's connection, inside its transaction. Never retried: see `retryRolledBack`. */
  run<T>(runner: QueryRunner, dialect: Dialect, script: Script<T>): Promise<T> {
    return this.turns.take(runner, async () => {
      if (!runner.isTransactionActive) this.doomed.delete(runner);
      if (this.doomed.has(runner)) throw new TransactionUnusableError(this.doomed.get(runner));
      if (dialect.name === 'sqlite') refuseNested(runner);
      try {
        return await drive(script, (step) => runOn(runner, dialect, step));
      } catch (error) {
        if (runner.isTransactionActive && dialect.isRolledBack(error)) this.doomed.set(runner, error);
        throw error;
      }
    });
  }
}

export function isTypeOrm(manager: JobManager): manager is TypeOrmManager {
  const connection = property(manager, 'connection');
  return property(connection, 'options') !== undefined && property(connection, 'createQueryRunner') !== undefined;
}

/**
 * The connection of the caller's transaction; `undefined` for a manager outside of any, which takes whatever connection is free:
 * our own is as good then, and on SQLite the only one that cannot be inside somebody else's transaction.
 */
export function callerRunner(manager: TypeOrmManager, own: DataSource): QueryRunner | undefined {
  const given = manager.connection;
  const found = addressOf(given);
  if (given !== own && found !== addressOf(own)) throw new ForeignManagerError(found, addressOf(own));
  const runner = runnerOf(manager);
  if (runner !== undefined) {
    refuseNarrowCharset(given);
    refuseReplica(runner);
  }
  return runner;
}

/** A replica may take writes, and lose them or keep them for itself: the job would never be found. */
function refuseReplica(runner: QueryRunner): void {
  if (runner.getReplicationMode() !== 'slave') return;
  throw new InvalidJobError('manager', "a QueryRunner of mode 'slave'", "Take it from createQueryRunner('master').");
}

/** The connection behind a manager, if it is bound to one. */
export function runnerOf(manager: TypeOrmManager): QueryRunner | undefined {
  return manager instanceof EntityManager || !('startTransaction' in manager) ? manager.queryRunner : manager;
}

/** What the connection cannot carry, the server replaces without an error: payloads would be damaged, and different keys be one. */
function refuseNarrowCharset({ options }: DataSource): void {
  if (options.type !== 'mysql' && options.type !== 'mariadb') return;
  const { charset, extra } = options as { charset?: string; extra?: { charset?: string } };
  const used = extra?.charset ?? charset;
  if (used === undefined || /^utf8mb4/i.test(used)) return;
  throw new UnsupportedDatabaseError(
    `charset ${used}`,
    "The manager's connection cannot carry every payload and key",
    "Set charset: 'utf8mb4' on the DataSource, or enqueue without a manager.",
  );
}

/**
 * TypeORM has one SQLite connection for everybody: a "nested" transaction may as well be somebody else's savepoint inside
 * a transaction that is rolled back later, and the job with it.
 */
function refuseNested(runner: QueryRunner): void {
  const depth: unknown = Reflect.get(runner, 'transactionDepth');
  if (Number(depth) <= 1) return;
  throw new InvalidJobError(
    'manager',
    `a transaction ${String(depth)} levels deep`,
    'On SQLite, enqueue in the outermost jobQueue.transaction().',
  );
}

/** Two DataSources of one application may lead to the same database. No user and no password: this goes into an error message. */
function addressOf({ options }: DataSource): string {
  const { replication } = options as { replication?: { master?: object } };
  const { type, host, port, database, url } = { ...options, ...replication?.master } as Record<string, unknown>;
  if (typeof url === 'string' && URL.canParse(url)) {
    const parsed = new URL(url);
    return `${String(type)} ${parsed.host}${parsed.pathname}`;
  }
  return `${String(type)} ${[host, port].filter(Boolean).join(':')}${host === undefined ? '' : '/'}${String(database)}`;
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
