import { Injectable } from '@nestjs/common';
import type { DataSource, EntitySubscriberInterface, QueryRunner, TransactionCommitEvent } from 'typeorm';
import type { JobLevel, NewJob } from '../job/job.js';
import type { JobManager } from '../repository/job-repository.js';
import { WakeSignal } from '../signal/wake-signal.js';
import { isTypeOrm, runnerOf } from '../typeorm/caller-session.js';

/**
 * When to look for jobs of a transaction whose commit nobody tells us of, in milliseconds after the enqueue. The first ones may be too
 * early, and then find nothing: only this process looks. A commit after the last one is found by polling.
 */
const GUESSES = [20, 100];
/** Then the others are told, too: once, because to each of them a hint costs a statement. */
const LAST_GUESS = 500;

/** Sends wake-ups for jobs that were enqueued in a caller's transaction, once that has committed: before, nobody could see them. */
@Injectable()
export class AfterCommit implements EntitySubscriberInterface {
  private readonly pending = new WeakMap<QueryRunner, (() => void)[]>();
  /** Not only the application's own: another DataSource may lead to the same database. */
  private readonly subscribed = new Set<DataSource>();
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(private readonly wakeSignal: WakeSignal) {}

  notify(manager: JobManager | undefined, jobs: readonly NewJob[]): void {
    const levels = levelsOf(jobs);
    if (manager !== undefined && !isTypeOrm(manager)) return this.guess(levels);
    this.tell(manager, () => this.wake(levels));
  }

  /** `news` is called after the commit; never, if nobody tells us of that. */
  tell(manager: JobManager | undefined, news: () => void): void {
    if (manager !== undefined && !isTypeOrm(manager)) return;
    const runner = manager === undefined ? undefined : runnerOf(manager);
    if (runner === undefined || !runner.isTransactionActive) return news();
    // As TypeORM before 1.0 names it, too.
    this.subscribe(runner.connection);
    this.pending.set(runner, [...(this.pending.get(runner) ?? []), news]);
  }

  /** TypeORM also tells of a released savepoint: the transaction around it is still open then. */
  afterTransactionCommit({ queryRunner }: TransactionCommitEvent): void {
    if (queryRunner.isTransactionActive) return;
    const pending = this.pending.get(queryRunner) ?? [];
    this.pending.delete(queryRunner);
    for (const news of pending) news();
  }

  afterTransactionRollback({ queryRunner }: TransactionCommitEvent): void {
    if (!queryRunner.isTransactionActive) this.pending.delete(queryRunner);
  }

  stop(): void {
    for (const { subscribers } of this.subscribed) {
      const at = subscribers.indexOf(this);
      if (at >= 0) subscribers.splice(at, 1);
    }
    this.subscribed.clear();
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  protected guess(levels: readonly JobLevel[]): void {
    for (const delay of GUESSES) this.after(delay, () => this.wakeSignal.notifyHere(levels));
    this.after(LAST_GUESS, () => this.wake(levels));
  }

  private after(delay: number, guess: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      guess();
    }, delay);
    // A process that has nothing else to do may end.
    this.timers.add(timer.unref());
  }

  /** A delayed job is none that another process could begin now: it learns of it when it polls. */
  private wake(levels: readonly JobLevel[]): void {
    if (levels.length > 0) this.wakeSignal.notify(levels);
    else this.wakeSignal.notifyHere(levels);
  }

  private subscribe(dataSource: DataSource): void {
    if (this.subscribed.has(dataSource)) return;
    this.subscribed.add(dataSource);
    dataSource.subscribers.push(this);
  }
}

/** Where the jobs are waiting. A delayed one waits nowhere yet: then the hint is only that something has changed. */
function levelsOf(jobs: readonly NewJob[]): JobLevel[] {
  const waiting = jobs.filter(({ due }) => 'delay' in due && due.delay === 0);
  return [...new Map(waiting.map(({ type, priority }) => [`${priority} ${type}`, { type, priority }])).values()];
}
