import type { DataSource, EntitySubscriberInterface, QueryRunner, TransactionCommitEvent } from 'typeorm';
import { TransactionUnusableError } from '../../errors/transaction-unusable.error.js';

interface Spoiled {
  readonly error: unknown;
  /** How many savepoints deep: going back to before one of them undoes what has failed. */
  readonly depth: number;
}

/**
 * Transactions that somebody else commits, and inside of which something has failed: none is committed without what is missing. It
 * listens to TypeORM only as long as there is one.
 */
export class SpoiledTransactions implements EntitySubscriberInterface {
  private readonly spoiled = new Map<QueryRunner, Spoiled>();

  add(runner: QueryRunner, error: unknown): void {
    if (this.spoiled.has(runner)) return;
    this.spoiled.set(runner, { error, depth: depthOf(runner) });
    const { subscribers } = runner.connection;
    if (!subscribers.includes(this)) subscribers.push(this);
  }

  /** TypeORM rolls back when this throws, as for any error inside. */
  beforeTransactionCommit({ queryRunner }: TransactionCommitEvent): void {
    const spoiled = this.spoiled.get(queryRunner);
    if (spoiled !== undefined) throw new TransactionUnusableError(spoiled.error);
  }

  afterTransactionRollback({ queryRunner }: TransactionCommitEvent): void {
    const spoiled = this.spoiled.get(queryRunner);
    if (spoiled === undefined || (queryRunner.isTransactionActive && depthOf(queryRunner) >= spoiled.depth)) return;
    this.spoiled.delete(queryRunner);
    this.leave(queryRunner.connection);
  }

  private leave(dataSource: DataSource): void {
    if ([...this.spoiled.keys()].some(({ connection }) => connection === dataSource)) return;
    // Another list: TypeORM is walking through this one, and would miss the next subscriber.
    const others = dataSource.subscribers.filter((subscriber) => subscriber !== this);
    Object.assign(dataSource, { subscribers: others });
  }
}

function depthOf(runner: QueryRunner): number {
  return Number(Reflect.get(runner, 'transactionDepth') ?? 0);
}
