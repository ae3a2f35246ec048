import { InvalidJobError } from '../errors/invalid-job.error.js';
import type { KnexTransaction, SqlConnection } from '../repository/job-repository.js';
import { readAnswer, type Answer } from './caller-answer.js';
import type { Dialect } from './dialects/dialect.js';
import type { Statement } from './statement.js';

/** A connection of another library than TypeORM. */
export interface CallerConnection {
  /** The driver's own object, the same one however often pools and transactions have wrapped it. */
  readonly driverObject: object;
  readonly ask: (statement: Statement) => Promise<Answer>;
}

const CURE =
  'Give the EntityManager or QueryRunner of your open transaction, a connection of mysql2 or pg, a transaction of knex, or ' +
  '{ query: (sql, parameters) => … } on a connection.';

/** Recognises what the caller has given, and refuses what cannot be inside one transaction. */
export async function callerConnection(
  manager: SqlConnection | KnexTransaction,
  dialect: Dialect,
): Promise<CallerConnection> {
  refusePrimitive(manager);
  refuseManyConnections(manager);
  if (dialect.name === 'sqlite') {
    throw new InvalidJobError(
      'manager',
      nameOf(manager),
      'On SQLite, enqueue in jobQueue.transaction(), or give the EntityManager or QueryRunner of TypeORM: a second connection ' +
        'to the file would wait for your transaction, and the raw handle of the first would overlap with those of others.',
    );
  }
  if (isKnex(manager)) return knexTransaction(manager);
  if (typeof Reflect.get(manager, 'query') !== 'function') throw new InvalidJobError('manager', nameOf(manager), CURE);
  return driverConnection(manager, dialect);
}

function isKnex(manager: SqlConnection | KnexTransaction): manager is KnexTransaction {
  return 'raw' in manager && typeof manager.raw === 'function' && manager.isTransaction === true;
}

/** knex turns `?` into what its driver wants, and would not know `$1`. */
async function knexTransaction(transaction: KnexTransaction): Promise<CallerConnection> {
  return {
    driverObject: await connectionOf(transaction),
    ask: async ({ sql, parameters }) => readAnswer(await transaction.raw(sql, [...parameters])),
  };
}

/** A nested transaction of knex is another object on the same connection. */
async function connectionOf(transaction: KnexTransaction): Promise<object> {
  const client: unknown = Reflect.get(transaction, 'client');
  if (!hasMethod(client, 'acquireConnection')) return transaction;
  const connection = await client.acquireConnection();
  return typeof connection === 'object' && connection !== null ? connection : transaction;
}

function driverConnection(connection: SqlConnection, dialect: Dialect): CallerConnection {
  // mysql2: the connection that takes callbacks makes one that answers promises, and is a property of that.
  const promising = hasMethod(connection, 'promise') ? (connection.promise() as SqlConnection) : connection;
  const inner: unknown = Reflect.get(promising, 'connection');
  return {
    driverObject: hasMethod(inner, 'promise') ? inner : connection,
    ask: async ({ sql, parameters }) => readAnswer(await promising.query(dialect.placeholders(sql), [...parameters])),
  };
}

function refusePrimitive(manager: unknown): void {
  if (typeof manager === 'function' || (typeof manager === 'object' && manager !== null)) return;
  throw new InvalidJobError('manager', manager, CURE);
}

/** What takes any free connection for each statement: the job would be committed by itself. */
function refuseManyConnections(manager: object): void {
  const refuse = (cure: string) => {
    throw new InvalidJobError('manager', nameOf(manager), cure);
  };
  if ('createQueryRunner' in manager) refuse('Give the EntityManager that dataSource.transaction() hands to you.');
  if ('getConnection' in manager || 'idleCount' in manager) {
    refuse('A pool takes any connection for each statement: give the one that your transaction is open on.');
  }
  if ('raw' in manager && !('query' in manager) && Reflect.get(manager, 'isTransaction') !== true) {
    refuse('A knex outside of a transaction takes any connection: give the one that knex.transaction() hands to you.');
  }
}

/** Not the object itself: connections know their passwords. */
function nameOf(manager: object): string {
  const name: unknown = typeof manager === 'function' ? manager.name : manager.constructor?.name;
  return name === 'Object' ? `{ ${Object.keys(manager).join(', ')} }` : String(name);
}

function hasMethod<Name extends string>(value: unknown, name: Name): value is Record<Name, () => unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, name) === 'function';
}
