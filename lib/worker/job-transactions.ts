import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { JobCompletedError } from '../errors/job-completed.error.js';
import { LeaseLostError } from '../errors/lease-lost.error.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { Suspended } from '../steps/suspension.js';
import { ApplicationTransactions } from '../typeorm/application-transactions.js';
import type { ActiveJob } from './active-job.js';
import { conclude } from './conclusion.js';

/**
 * A handler's writes and the end of its job in one transaction of the application's DataSource: both or neither.
 *
 *     begin → work(manager) → conclude → lock the job's row, check its fence, settle → commit
 *
 * The row is locked at the end and not at the start: a process that is stopped in the middle holds up nobody. When the answer to
 * the COMMIT is lost, nobody knows whether it has happened; the attempt is then settled as failed, under the fence, which changes
 * nothing if it has.
 */
@Injectable()
export class JobTransactions {
  private readonly underWay = new WeakSet<ActiveJob>();

  constructor(
    private readonly transactions: ApplicationTransactions,
    private readonly options: ResolvedOptions,
  ) {}

  async run<T>(active: ActiveJob, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    if (active.completion !== undefined || this.underWay.has(active)) throw new JobCompletedError(active.job.id);
    // Whatever has become of the error that said so: the attempt is over, and the job is not.
    if (active.steps?.suspension !== undefined) throw new Suspended();
    this.underWay.add(active);
    try {
      const { value, settlement } = await this.transactions.begin((manager) => this.complete(active, manager, work));
      active.completion = settlement;
      return value;
    } finally {
      this.underWay.delete(active);
    }
  }

  private async complete<T>(active: ActiveJob, manager: EntityManager, work: (manager: EntityManager) => Promise<T>) {
    const value = await work(manager);
    const settlement = conclude(active, { returned: value }, this.options.maxPayloadBytes);
    try {
      if (!(await active.home.settleIn(manager, settlement))) throw new LeaseLostError('taken away');
    } catch (error) {
      active.notes.putBack(settlement.notes);
      throw error;
    }
    return { value, settlement };
  }
}
