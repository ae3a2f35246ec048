import { Injectable } from '@nestjs/common';
import { JobNotFoundError } from '../errors/job-not-found.error.js';
import {
  InspectionRepository,
  type LockStatus,
  type NodeStatus,
  type OldestDueJob,
} from '../repository/inspection-repository.js';
import { JobRepository } from '../repository/job-repository.js';
import { explainJob } from './explain-job.js';
import type { JobExplanation } from './job-explanation.js';

/**
 * What is stuck, and why: for people, pages and alarms. Of one service; it changes nothing, and works in every process, whatever its
 * roles.
 *
 * @publicApi
 */
@Injectable()
export class QueueInspector {
  constructor(
    private readonly repository: InspectionRepository,
    private readonly jobs: JobRepository,
  ) {}

  /** The nodes of the service: living ones first, then the latest. Those that ended more than a day ago are gone. */
  nodes(): Promise<NodeStatus[]> {
    return this.repository.nodes();
  }

  /** Every lock that somebody has held, by name. With `lockTable`, those of all programs that share the table. */
  locks(): Promise<LockStatus[]> {
    return this.repository.locks();
  }

  /** Types for which `pause()` was called. */
  pausedTypes(): Promise<string[]> {
    return this.repository.pausedTypes();
  }

  /**
   * Of each type the job that is due for the longest time and has not begun, the oldest of all first: what it answers tells how late the
   * queue is. Its cost grows with the number of types, not with that of jobs. Of a type with concurrency keys, 200 keys are looked at.
   */
  oldestDue(): Promise<OldestDueJob[]> {
    return this.repository.oldestDue();
  }

  /** Types with waiting jobs that no living node runs: the first 20 of them. */
  unhandledTypes(): Promise<string[]> {
    return this.jobs.unhandledTypes();
  }

  /** Every type that a living node runs, that has jobs, or that is paused. Reads every row of the service, as `JobQueue.counts()`. */
  async types(): Promise<string[]> {
    const [nodes, counts, paused] = await Promise.all([this.nodes(), this.jobs.counts(), this.pausedTypes()]);
    const handled = nodes.filter(({ state }) => state === 'alive').flatMap(({ types }) => types);
    const types = [...handled, ...counts].map(({ type }) => type);
    return [...new Set([...types, ...paused])].sort();
  }

  /**
   * Why a job is not running: every reason that the database knows, the strongest first, as data and as sentences.
   *
   * @throws JobNotFoundError
   */
  async explain(id: string): Promise<JobExplanation> {
    const [situation, nodes] = await Promise.all([this.repository.situation(id), this.nodes()]);
    if (situation === undefined) throw new JobNotFoundError(id);
    return explainJob(situation, nodes);
  }
}
