import pLimit from 'p-limit';
import type { DataSource, EntityManager } from 'typeorm';
import { NoDataSourceError } from '../../errors/no-data-source.error.js';
import type { ResolvedOptions } from '../../options/resolved-options.js';
import type { JobManager } from '../../repository/job-repository.js';
import type { AmbientManagers } from '../../typeorm/ambient/ambient-managers.js';
import type { ApplicationDataSource } from '../../typeorm/application-data-source.js';
import { ApplicationTransactions } from '../../typeorm/application-transactions.js';
import type { Units } from './units.js';

const SINGLE_CONNECTION = /sqlite|sqljs/;

type Work<T> = (manager: EntityManager) => Promise<T>;

/** Whoever runs the code that wants a transaction. */
export interface Mortal {
  readonly isDead: boolean;
  readonly death: Promise<void>;
}

/** Transactions on the application's DataSource, if the test has one, and of our rows in memory with them. */
export class MemoryTransactions extends ApplicationTransactions {
  private readonly turn = pLimit(1);

  constructor(
    private readonly dataSource: ApplicationDataSource,
    options: ResolvedOptions,
    libraries: AmbientManagers,
    private readonly units: Units,
    private readonly mortal: () => Mortal | undefined = () => undefined,
  ) {
    super(dataSource, options, libraries);
  }

  override async inCallers<T>(
    given: JobManager | null | undefined,
    write: (manager: JobManager | undefined) => Promise<T>,
  ): Promise<T> {
    await this.stopTheDead();
    return super.inCallers(given, write);
  }

  protected override async openFor<T>(given: Work<T>): Promise<T> {
    await this.stopTheDead();
    const work = this.untilDeath(given);
    const dataSource = this.dataSource.find();
    if (!isConnected(dataSource)) return this.openWithout(work);
    let transaction: object = {};
    const open = () =>
      dataSource.transaction((manager) => {
        transaction = manager.queryRunner ?? transaction;
        this.units.own(transaction);
        return work(manager);
      });
    const value = await (SINGLE_CONNECTION.test(dataSource.options.type) ? this.turn(open) : open());
    // Outside of its turn: what runs now may want a transaction of its own.
    await this.units.commit(transaction);
    return value;
  }

  /** Code of a handler whose process has died in the test gets no further than to the queue. */
  private async stopTheDead(): Promise<void> {
    if (this.mortal()?.isDead === true) await new Promise<never>(() => undefined);
  }

  /** A transaction is rolled back when the process that has begun it dies: its handler will not come back to say so. */
  private untilDeath<T>(work: Work<T>): Work<T> {
    const mortal = this.mortal();
    if (mortal === undefined) return work;
    const died = mortal.death.then(() => Promise.reject(new Error('The process has died in its transaction.')));
    // Nobody may be waiting for it.
    died.catch(() => undefined);
    return (manager) => Promise.race([work(manager), died]);
  }

  private async openWithout<T>(work: Work<T>): Promise<T> {
    const manager = managerOfNothing();
    this.units.begin(manager);
    try {
      const value = await work(manager);
      await this.units.commit(manager);
      return value;
    } catch (error) {
      this.units.rollback(manager);
      throw error;
    }
  }
}

/** A test may have a stand-in for the DataSource that only hands out repositories. */
function isConnected(dataSource: DataSource | undefined): dataSource is DataSource {
  return dataSource?.isInitialized === true && typeof dataSource.transaction === 'function';
}

/** What is asked of it to see whose it is, it answers; whatever else is wanted of it needs a database. */
function managerOfNothing(): EntityManager {
  const known = new Set<string | symbol>(['connection', 'queryRunner', 'transactionDepth', 'then', 'constructor']);
  const get = (_: object, member: string | symbol) => {
    if (known.has(member) || typeof member === 'symbol') return undefined;
    throw new NoDataSourceError(member);
  };
  return new Proxy({}, { get }) as EntityManager;
}
