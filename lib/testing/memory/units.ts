import type { DataSource, EntitySubscriberInterface, QueryRunner, TransactionCommitEvent } from 'typeorm';
import type { JobManager } from '../../repository/job-repository.js';
import { isTypeOrm, runnerOf } from '../../typeorm/caller-session.js';

/** What a transaction owes to the store, or the store to it. */
export interface Share {
  readonly commit?: () => void;
  readonly rollback?: () => void;
  /** What follows from the commit, once all of it is there. */
  readonly after?: () => Promise<void> | void;
}

interface Entry extends Share {
  /** How many savepoints deep: going back to before one of them undoes it. */
  depth: number;
}

/**
 * Open transactions of the application, and what becomes of our rows with them. TypeORM tells of the ends of its own; of a connection
 * of another library nobody does, and what is written there counts at once.
 */
export class Units implements EntitySubscriberInterface {
  private readonly open = new Map<object, Entry[]>();
  private readonly subscribed = new Set<DataSource>();
  private readonly ours = new WeakSet<object>();

  /** `commit` is called after the commit, at once when there is no transaction; `rollback` in place of it. */
  join(manager: JobManager | undefined, share: Share): Promise<void> | void {
    const transaction = manager === undefined ? undefined : this.transactionOf(manager);
    if (transaction === undefined) {
      share.commit?.();
      return share.after?.();
    }
    const entry = { ...share, depth: depthOf(transaction) };
    this.open.set(transaction, [...(this.open.get(transaction) ?? []), entry]);
  }

  /** A transaction without a database: whoever calls this tells of its end. */
  begin(transaction: object): void {
    this.open.set(transaction, []);
  }

  /** TypeORM is not to wait for what follows from this transaction: whoever has begun it does, with `commit()`. */
  own(transaction: object): void {
    this.ours.add(transaction);
  }

  async commit(transaction: object): Promise<void> {
    const entries = this.open.get(transaction) ?? [];
    this.open.delete(transaction);
    this.ours.delete(transaction);
    for (const { commit } of entries) commit?.();
    for (const { after } of entries) await after?.();
  }

  rollback(transaction: object): void {
    const entries = this.open.get(transaction) ?? [];
    this.open.delete(transaction);
    for (const { rollback } of entries.toReversed()) rollback?.();
  }

  /** TypeORM also tells of a released savepoint: the transaction around it is still open then. */
  async afterTransactionCommit({ queryRunner }: TransactionCommitEvent): Promise<void> {
    if (!queryRunner.isTransactionActive) {
      if (!this.ours.has(queryRunner)) await this.commit(queryRunner);
      return;
    }
    const depth = depthOf(queryRunner);
    for (const entry of this.open.get(queryRunner) ?? []) entry.depth = Math.min(entry.depth, depth);
  }

  afterTransactionRollback({ queryRunner }: TransactionCommitEvent): void {
    if (!queryRunner.isTransactionActive) return this.rollback(queryRunner);
    const depth = depthOf(queryRunner);
    const entries = this.open.get(queryRunner) ?? [];
    this.open.set(
      queryRunner,
      entries.filter((entry) => entry.depth <= depth),
    );
    for (const { rollback } of entries.filter((entry) => entry.depth > depth).toReversed()) rollback?.();
  }

  stop(): void {
    for (const { subscribers } of this.subscribed) {
      const at = subscribers.indexOf(this);
      if (at >= 0) subscribers.splice(at, 1);
    }
    this.subscribed.clear();
  }

  private transactionOf(manager: JobManager): object | undefined {
    if (this.open.has(manager) && !isTypeOrm(manager)) return manager;
    const runner = isTypeOrm(manager) ? runnerOf(manager) : undefined;
    if (runner === undefined || !runner.isTransactionActive) return undefined;
    this.subscribe(runner);
    return runner;
  }

  private subscribe({ connection }: QueryRunner): void {
    if (this.subscribed.has(connection)) return;
    this.subscribed.add(connection);
    connection.subscribers.push(this);
  }
}

function depthOf(transaction: object): number {
  return Number(Reflect.get(transaction, 'transactionDepth') ?? 0);
}
