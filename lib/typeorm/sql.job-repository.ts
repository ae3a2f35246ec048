import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { AcknowledgedJob, AcknowledgeRequest } from '../job/acknowledgement.js';
import type { Attempt } from '../job/attempt.js';
import type { ChangedJob, JobChange } from '../job/job-change.js';
import type { HandledType } from '../job/handled-type.js';
import type { CheckedFilter } from '../job/job-filter.js';
import type { EnqueuedJob, Job, JobToken, NewJob } from '../job/job.js';
import type { Settlement } from '../job/settlement.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import {
  JobRepository,
  type ClaimAnswer,
  type ClaimRequest,
  type JobCount,
  type JobLogLine,
  type JobManager,
  type NodeDescription,
  type NotedJob,
  type RetriedBatch,
  type RemovedBatch,
  type RemovedJob,
  type RescuedJob,
  type StartedJob,
  type Survey,
  type SurveyRequest,
} from '../repository/job-repository.js';
import { ApplicationDataSource } from './application-data-source.js';
import { Callers } from './callers.js';
import { removeBatch, retryBatch } from './filtered-batches.js';
import { JobClaimer } from './job-claimer.js';
import { JobInserter } from './job-inserter.js';
import { pruneAll } from './prune-all.js';
import { QueueConnection, type Connected } from './queue-connection.js';
import type { QueueTables } from './queue-tables.js';
import { numericId } from './row.js';
import { settleBatch } from './settle-batch.js';
import { SlotPruner } from './slot-pruner.js';
import type { Result, Script, Statement } from './statement.js';
import { acknowledgeJob } from './statements/acknowledge-job.js';
import { changeJob } from './statements/change-job.js';
import { selectPage } from './statements/filter-jobs.js';
import { beat, claimsOf, registerNode, retireNode, setTypes } from './statements/nodes.js';
import { pauseType, resumeType } from './statements/pauses.js';
import { promoteJobs } from './statements/promote-jobs.js';
import {
  readAttempt,
  readLogLine,
  selectLog,
  readCounts,
  readJob,
  selectAttempts,
  selectCounts,
  selectJob,
} from './statements/read-jobs.js';
import { recordNotes } from './statements/record-notes.js';
import { recordStarts } from './statements/record-starts.js';
import { removeJob } from './statements/remove-jobs.js';
import { rescueJobs } from './statements/rescue-jobs.js';
import { settleHeldJob } from './statements/settle-jobs.js';
import { readSurvey, surveyQueue } from './statements/survey-queue.js';
import { unfileJobs } from './statements/unfile-jobs.js';
import { unhandledServices } from './statements/unhandled-services.js';
import { unhandledTypes } from './statements/unhandled-types.js';

/** The verbs of the port, each one statement or script, on the database of the application's DataSource. */
@Injectable()
export class SqlJobRepository extends JobRepository {
  private readonly callers: Callers;
  private readonly claimer: JobClaimer;
  private readonly inserter: JobInserter;
  private readonly slots = new SlotPruner();

  constructor(
    application: ApplicationDataSource,
    private readonly connection: QueueConnection,
    private readonly options: ResolvedOptions,
  ) {
    super();
    this.callers = new Callers(application);
    this.claimer = new JobClaimer(this.connection);
    this.inserter = new JobInserter(this.callers, this.connection);
  }

  async open(): Promise<void> {
    await this.connected();
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  async insert(
    jobs: readonly NewJob[],
    manager?: JobManager,
    onProgress?: (done: number) => void,
  ): Promise<EnqueuedJob[]> {
    return this.inserter.insert(jobs, manager, onProgress);
  }

  async survey(request: SurveyRequest): Promise<Survey> {
    return readSurvey((await this.query((tables) => surveyQueue(tables, request))).rows);
  }

  promote(limit: number): Promise<number> {
    return this.transact((tables) => promoteJobs(tables, limit));
  }

  claim(request: ClaimRequest): Promise<ClaimAnswer> {
    return this.claimer.claim(request);
  }

  unfile(type: string, limit: number): Promise<number> {
    return this.transact((tables) => unfileJobs(tables, type, limit));
  }

  recordStarts(starts: readonly StartedJob[]): Promise<string[]> {
    return this.transact((tables) => recordStarts(tables, starts));
  }

  async settle(settlements: readonly Settlement[], node: string): Promise<string[]> {
    const lost = await settleBatch(await this.connected(), settlements, node);
    this.claimer.ended(settlements);
    return lost;
  }

  async settleIn(manager: EntityManager, settlement: Settlement, node: string): Promise<boolean> {
    const connected = await this.connected();
    return this.callers.run(manager, connected, () => settleHeldJob(connected.tables, settlement, node));
  }

  async acknowledge(
    id: string,
    request: AcknowledgeRequest,
    manager?: JobManager,
  ): Promise<AcknowledgedJob | undefined> {
    const connected = await this.connected();
    const { database, tables } = connected;
    const script = () => acknowledgeJob(tables, numericId(id), request, this.options.retention);
    return manager === undefined ? database.transaction(script) : this.callers.run(manager, connected, script);
  }

  async claimsOf(node: string): Promise<JobToken[]> {
    const { rows } = await this.query((tables) => claimsOf(tables, node));
    return rows.map((row) => ({ id: String(row['id']), fence: Number(row['fence']) }));
  }

  async registerNode(node: NodeDescription): Promise<string> {
    const { database, tables } = await this.connected();
    return database.transaction(() => registerNode(tables, node, this.options.leaseDuration), { lane: 'control' });
  }

  async beat(node: string): Promise<boolean> {
    const { affected } = await this.query((tables) => beat(tables, node, this.options.leaseDuration), 'control');
    return affected > 0;
  }

  async retireNode(node: string): Promise<void> {
    await this.query((tables) => retireNode(tables, node), 'control');
  }

  async setTypes(node: string, types: readonly HandledType[]): Promise<void> {
    await this.query((tables) => setTypes(tables, node, types), 'control');
  }

  rescue(limit: number): Promise<RescuedJob[]> {
    return this.transact((tables) => rescueJobs(tables, limit, this.options.retention.failed));
  }

  async recordNotes(noted: readonly NotedJob[]): Promise<void> {
    await this.transact((tables) => recordNotes(tables, noted));
  }

  change(id: string, change: JobChange): Promise<ChangedJob | undefined> {
    return this.transact((tables) => changeJob(tables, numericId(id), change, this.options.retention.failed));
  }

  async retryBatch(filter: CheckedFilter, after: string, limit: number): Promise<RetriedBatch> {
    return retryBatch(await this.connected(), filter, after, limit);
  }

  remove(id: string): Promise<RemovedJob | undefined> {
    return this.transact((tables) => removeJob(tables, numericId(id)));
  }

  async removeBatch(filter: CheckedFilter, after: string, limit: number): Promise<RemovedBatch> {
    return removeBatch(await this.connected(), filter, after, limit);
  }

  async pause(type: string): Promise<void> {
    await this.query((tables) => pauseType(tables, type));
  }

  async resume(type: string): Promise<void> {
    await this.query((tables) => resumeType(tables, type));
  }

  async prune(limit: number): Promise<number> {
    const { database, tables } = await this.connected();
    return pruneAll(database, tables, limit, this.options.retention.history, this.slots);
  }

  async find(filter: CheckedFilter, limit: number, before: string | undefined): Promise<Job[]> {
    const { rows } = await this.query((tables) => selectPage(tables, filter, limit, before));
    return rows.map(readJob);
  }

  async log(id: string): Promise<JobLogLine[]> {
    const { rows } = await this.query((tables) => selectLog(tables, numericId(id)));
    return rows.map(readLogLine);
  }

  unhandledTypes(): Promise<string[]> {
    return this.connection.run(unhandledTypes);
  }

  unhandledServices(): Promise<string[]> {
    return this.connection.run(unhandledServices);
  }

  async get(id: string): Promise<Job | undefined> {
    const { rows } = await this.query((tables) => selectJob(tables, numericId(id)));
    return rows[0] === undefined ? undefined : readJob(rows[0]);
  }

  async history(id: string): Promise<Attempt[]> {
    const { rows } = await this.query((tables) => selectAttempts(tables, numericId(id)));
    return rows.map(readAttempt);
  }

  async counts(): Promise<JobCount[]> {
    return readCounts((await this.query(selectCounts)).rows);
  }

  private async transact<T>(script: (tables: QueueTables) => Script<T>): Promise<T> {
    const { database, tables } = await this.connected();
    return database.transaction(() => script(tables));
  }

  private async query(build: (tables: QueueTables) => Statement, lane?: 'control'): Promise<Result> {
    const { database, tables } = await this.connected();
    return database.query(build(tables), lane);
  }

  private connected(): Promise<Connected> {
    return this.connection.get();
  }
}
