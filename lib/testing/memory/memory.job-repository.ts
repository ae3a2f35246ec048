import type { EntityManager } from 'typeorm';
import type { AcknowledgedJob, AcknowledgeRequest } from '../../job/acknowledgement.js';
import type { Attempt } from '../../job/attempt.js';
import type { ChangedJob, JobChange } from '../../job/job-change.js';
import type { HandledType } from '../../job/handled-type.js';
import type { CheckedFilter } from '../../job/job-filter.js';
import type { EnqueuedJob, Job, JobToken, NewJob } from '../../job/job.js';
import type { Settlement } from '../../job/settlement.js';
import type { ResolvedOptions } from '../../options/resolved-options.js';
import {
  JobRepository,
  type ClaimAnswer,
  type ClaimRequest,
  type JobCount,
  type JobLogLine,
  type JobManager,
  type NodeDescription,
  type NotedJob,
  type RemovedBatch,
  type RemovedJob,
  type RescuedJob,
  type RetriedBatch,
  type StartedJob,
  type Survey,
  type SurveyRequest,
} from '../../repository/job-repository.js';
import { stateOf } from '../../typeorm/statements/awaiting.js';
import { readAttempt, readCounts, readJob, readLogLine } from '../../typeorm/statements/read-jobs.js';
import { acknowledgeRow } from './acknowledge-row.js';
import { changeRow } from './change-rows.js';
import { claimJobs, unfileJobs } from './claim-jobs.js';
import { promoteRow, rescueRow } from './claim-rows.js';
import { noteRow, settleRows } from './end-rows.js';
import { findEnded, findRows, retryRows } from './find-rows.js';
import { insertRows } from './insert-rows.js';
import type { MemoryStore } from './memory-store.js';
import { addNode, findDead } from './node-rows.js';
import { keptJob, pruneRows } from './prune-rows.js';
import { findRemovable, removeRow } from './remove-rows.js';
import type { JobRow } from './rows.js';
import { surveyRows, unhandledServices, unhandledTypes } from './survey-rows.js';
import type { Units } from './units.js';

/** Told of jobs that have just come to wait: where each enqueue runs its job, the enqueue waits for this. */
export type Arrivals = (rows: readonly JobRow[]) => Promise<void> | void;

/** The verbs of the port on rows in memory, each done at once. */
export class MemoryJobRepository extends JobRepository {
  constructor(
    private readonly store: MemoryStore,
    private readonly units: Units,
    private readonly options: ResolvedOptions,
    private readonly arrivals: Arrivals = () => undefined,
  ) {
    super();
  }

  async open(): Promise<void> {}

  async close(): Promise<void> {}

  async insert(
    jobs: readonly NewJob[],
    manager?: JobManager,
    onProgress?: (done: number) => void,
  ): Promise<EnqueuedJob[]> {
    const { answers, created } = insertRows(this.store, this.service, jobs);
    onProgress?.(answers.length);
    await this.units.join(manager, {
      commit: () => {
        for (const row of created) row.hidden = false;
      },
      rollback: () => {
        for (const row of created) this.store.undoAdd(row);
      },
      after: () => this.arrivals(created),
    });
    return answers;
  }

  async survey(request: SurveyRequest): Promise<Survey> {
    return surveyRows(this.store, this.service, request);
  }

  async promote(limit: number): Promise<number> {
    const { now } = this.store;
    const due = this.rows(({ state, due: at }) => state === 'scheduled' && at <= now).slice(0, limit);
    for (const row of due) promoteRow(row);
    return due.length;
  }

  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    return claimJobs(this.store, this.service, request);
  }

  async unfile(type: string, limit: number): Promise<number> {
    return unfileJobs(this.store, this.service, type, limit);
  }

  async recordStarts(starts: readonly StartedJob[]): Promise<string[]> {
    const lost = starts.filter((start) => {
      const row = this.store.held(start);
      if (row !== undefined) row.started_at = this.store.now - Math.round(start.ago);
      return row === undefined;
    });
    return lost.map(({ id }) => id);
  }

  async recordNotes(noted: readonly NotedJob[]): Promise<void> {
    for (const note of noted) noteRow(this.store, note);
  }

  async settle(settlements: readonly Settlement[], node: string): Promise<string[]> {
    return settleRows(this.store, settlements, node).map(({ id }) => id);
  }

  async settleIn(manager: EntityManager, settlement: Settlement, node: string): Promise<boolean> {
    const { store } = this;
    if (store.held(settlement) === undefined) return false;
    return store.inside(manager, settlement.id, () => settleRows(store, [settlement], node).length === 0);
  }

  async acknowledge(
    id: string,
    request: AcknowledgeRequest,
    manager?: JobManager,
  ): Promise<AcknowledgedJob | undefined> {
    const { store } = this;
    const row = store.job(this.service, id);
    if (row === undefined) return undefined;
    return store.inside(manager, id, () => acknowledgeRow(store, row, request, this.options.retention));
  }

  async claimsOf(node: string): Promise<JobToken[]> {
    const claims = this.rows(({ state, node_id: of }) => state === 'running' && of === Number(node));
    return claims.map(({ id, fence }) => ({ id: String(id), fence }));
  }

  async registerNode(node: NodeDescription): Promise<string> {
    return String(addNode(this.store, this.service, node, this.options.leaseDuration));
  }

  async setTypes(node: string, types: readonly HandledType[]): Promise<void> {
    const row = this.store.nodes.get(Number(node));
    if (row !== undefined) row.types = types;
  }

  async beat(node: string): Promise<boolean> {
    const row = this.store.nodes.get(Number(node));
    if (row?.state !== 'alive') return false;
    row.beat_at = this.store.now;
    row.expires_at = row.beat_at + this.options.leaseDuration;
    return true;
  }

  async retireNode(node: string): Promise<void> {
    const row = this.store.nodes.get(Number(node));
    if (row?.state === 'alive') row.state = 'stopped';
  }

  async rescue(limit: number): Promise<RescuedJob[]> {
    const { nodes } = this.store;
    findDead(this.store, this.service);
    const orphans = this.rows(({ state, node_id: of }) => state === 'running' && nodes.get(of)?.state !== 'alive');
    return orphans.slice(0, limit).map((row) => rescueRow(this.store, row, this.options.retention.failed));
  }

  async unhandledTypes(): Promise<string[]> {
    return unhandledTypes(this.store, this.service);
  }

  async unhandledServices(): Promise<string[]> {
    return unhandledServices(this.store);
  }

  async change(id: string, change: JobChange): Promise<ChangedJob | undefined> {
    const row = keptJob(this.store, this.service, id);
    if (row === undefined) return undefined;
    const changed = changeRow(this.store, row, change, this.options.retention.failed);
    if (changed.changed && change !== 'cancel') await this.arrivals([row]);
    return changed;
  }

  async retryBatch(filter: CheckedFilter, after: string, limit: number): Promise<RetriedBatch> {
    const found = findEnded(this.rows(), filter, after).slice(0, limit);
    const retried = retryRows(this.store, found);
    await this.arrivals(retried);
    return { retried: retried.length, last: found.length < limit ? undefined : String(found.at(-1)?.id) };
  }

  async remove(id: string): Promise<RemovedJob | undefined> {
    const row = keptJob(this.store, this.service, id);
    return row && { state: stateOf(row), removed: removeRow(this.store, row) };
  }

  async removeBatch(filter: CheckedFilter, after: string, limit: number): Promise<RemovedBatch> {
    const found = findRemovable(this.rows(), filter, after).slice(0, limit);
    for (const row of found) removeRow(this.store, row);
    return { removed: found.length, last: found.length < limit ? undefined : String(found.at(-1)?.id) };
  }

  async pause(type: string): Promise<void> {
    this.store.pauses.add(`${this.service} ${type}`);
  }

  async resume(type: string): Promise<void> {
    this.store.pauses.delete(`${this.service} ${type}`);
  }

  async prune(limit: number): Promise<number> {
    return pruneRows(this.store, this.service, limit, this.options.retention.history);
  }

  async find(filter: CheckedFilter, limit: number, before: string | undefined): Promise<Job[]> {
    return findRows(this.rows(), filter, before).slice(0, limit).map(readJob);
  }

  async get(id: string): Promise<Job | undefined> {
    const row = this.store.job(this.service, id);
    return row && readJob(row);
  }

  async history(id: string): Promise<Attempt[]> {
    return this.store.attempts
      .filter(({ job_id, service }) => job_id === Number(id) && service === this.service)
      .sort((a, b) => a.fence - b.fence)
      .map(readAttempt);
  }

  async log(id: string): Promise<JobLogLine[]> {
    if (this.store.job(this.service, id) === undefined) return [];
    const lines = this.store.logs.filter(({ job_id }) => job_id === Number(id));
    return lines.sort((a, b) => a.fence - b.fence || a.line - b.line).map(readLogLine);
  }

  async counts(): Promise<JobCount[]> {
    return readCounts(this.rows().map((row) => ({ type: row.type, state: stateOf(row), count: 1 })));
  }

  private get service(): string {
    return this.options.serviceName;
  }

  private rows(which: (row: JobRow) => boolean = () => true): JobRow[] {
    return this.store.jobsOf(this.service).filter(which);
  }
}
