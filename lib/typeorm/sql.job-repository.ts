import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { UnwritableError } from '../errors/unwritable.error.js';
import type { AcknowledgedJob, AcknowledgeRequest } from '../job/acknowledgement.js';
import type { Attempt } from '../job/attempt.js';
import type { ChangedJob, JobChange } from '../job/job-change.js';
import type { CheckedFilter } from '../job/job-filter.js';
import type { ClaimedJob, EnqueuedJob, Job, JobToken, NewJob } from '../job/job.js';
import type { Settlement } from '../job/settlement.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import {
  JobRepository,
  type ClaimRequest,
  type JobCount,
  type JobLogLine,
  type JobManager,
  type NodeDescription,
  type NotedJob,
  type RetriedBatch,
  type RescuedJob,
  type StartedJob,
  type Survey,
  type SurveyRequest,
} from '../repository/job-repository.js';
import { ApplicationDataSource } from './application-data-source.js';
import { Callers } from './callers.js';
import { JobClaimer } from './job-claimer.js';
import { JobInserter } from './job-inserter.js';
import { pruneAll } from './prune-all.js';
import { QueueConnection, type Connected } from './queue-connection.js';
import type { QueueTables } from './queue-tables.js';
import { numericId } from './row.js';
import type { Statement } from './statement.js';
import { acknowledgeJob } from './statements/acknowledge-job.js';
import { changeJob } from './statements/change-job.js';
import { retryJobs, selectEnded, selectPage } from './statements/filter-jobs.js';
import { beat, claimsOf, registerNode, retireNode } from './statements/nodes.js';
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
import { rescueJobs } from './statements/rescue-jobs.js';
import { areOneStatement, settleHeldJob, settleJobs } from './statements/settle-jobs.js';
import { readSurvey, surveyQueue } from './statements/survey-queue.js';
import { unhandledServices } from './statements/unhandled-services.js';
import { unhandledTypes } from './statements/unhandled-types.js';

/** The verbs of the port, each one statement or script, on the database of the application's DataSource. */
@Injectable()
export class SqlJobRepository extends JobRepository {
  private readonly callers: Callers;
  private readonly claimer: JobClaimer;
  private readonly inserter: JobInserter;

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
    const { database, tables } = await this.connected();
    return readSurvey((await database.query(surveyQueue(tables, request))).rows);
  }

  async promote(limit: number): Promise<number> {
    const { database, tables } = await this.connected();
    return database.transaction(() => promoteJobs(tables, limit));
  }

  claim(request: ClaimRequest): Promise<ClaimedJob[]> {
    return this.claimer.claim(request);
  }

  async recordStarts(starts: readonly StartedJob[]): Promise<string[]> {
    const { database, tables } = await this.connected();
    return database.transaction(() => recordStarts(tables, starts));
  }

  async settle(settlements: readonly Settlement[], node: string): Promise<string[]> {
    const { database, tables } = await this.connected();
    try {
      const script = () => settleJobs(tables, settlements, node);
      // Not tried again in here: the completer does so, without the others having to wait.
      const isOne = areOneStatement(tables, settlements);
      return await (isOne ? database.run(script, { patience: 0 }) : database.transaction(script, { patience: 0 }));
    } catch (error) {
      if (tables.dialect.isRefused(error)) throw new UnwritableError('refused', error);
      if (tables.dialect.isLockTimeout(error)) throw new UnwritableError('locked', error);
      throw error;
    }
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
    const { database, tables } = await this.connected();
    const { rows } = await database.query(claimsOf(tables, node));
    return rows.map((row) => ({ id: String(row['id']), fence: Number(row['fence']) }));
  }

  async registerNode(node: NodeDescription): Promise<string> {
    const { database, tables } = await this.connected();
    return database.transaction(() => registerNode(tables, node, this.options.leaseDuration), { lane: 'control' });
  }

  async beat(node: string): Promise<boolean> {
    const { database, tables } = await this.connected();
    const { affected } = await database.query(beat(tables, node, this.options.leaseDuration), 'control');
    return affected > 0;
  }

  async retireNode(node: string): Promise<void> {
    const { database, tables } = await this.connected();
    await database.query(retireNode(tables, node), 'control');
  }

  async rescue(limit: number): Promise<RescuedJob[]> {
    const { database, tables } = await this.connected();
    return database.transaction(() => rescueJobs(tables, limit, this.options.retention.failed));
  }

  async recordNotes(noted: readonly NotedJob[]): Promise<void> {
    const { database, tables } = await this.connected();
    await database.transaction(() => recordNotes(tables, noted));
  }

  async change(id: string, change: JobChange): Promise<ChangedJob | undefined> {
    const { database, tables } = await this.connected();
    return database.transaction(() => changeJob(tables, numericId(id), change, this.options.retention.failed));
  }

  async retryBatch(filter: CheckedFilter, after: string, limit: number): Promise<RetriedBatch> {
    const { database, tables } = await this.connected();
    const { rows } = await database.query(selectEnded(tables, filter, after, limit));
    const ids = rows.map((row) => Number(row['id']));
    const retried = ids.length === 0 ? 0 : await database.transaction(() => retryJobs(tables, ids));
    return { retried, last: ids.length < limit ? undefined : String(ids.at(-1)) };
  }

  async pause(type: string): Promise<void> {
    await this.write((tables) => pauseType(tables, type));
  }

  async resume(type: string): Promise<void> {
    await this.write((tables) => resumeType(tables, type));
  }

  async prune(limit: number): Promise<number> {
    const { database, tables } = await this.connected();
    return pruneAll(database, tables, limit, this.options.retention.history);
  }

  async find(filter: CheckedFilter, limit: number, before: string | undefined): Promise<Job[]> {
    const { rows } = await this.read((tables) => selectPage(tables, filter, limit, before));
    return rows.map(readJob);
  }

  async log(id: string): Promise<JobLogLine[]> {
    const { rows } = await this.read((tables) => selectLog(tables, numericId(id)));
    return rows.map(readLogLine);
  }

  async unhandledTypes(): Promise<string[]> {
    const { database, tables } = await this.connected();
    return database.run(() => unhandledTypes(tables));
  }

  async unhandledServices(): Promise<string[]> {
    const { database, tables } = await this.connected();
    return database.run(() => unhandledServices(tables));
  }

  async get(id: string): Promise<Job | undefined> {
    const { rows } = await this.read((tables) => selectJob(tables, numericId(id)));
    return rows[0] === undefined ? undefined : readJob(rows[0]);
  }

  async history(id: string): Promise<Attempt[]> {
    const { rows } = await this.read((tables) => selectAttempts(tables, numericId(id)));
    return rows.map(readAttempt);
  }

  async counts(): Promise<JobCount[]> {
    const { rows } = await this.read(selectCounts);
    return readCounts(rows);
  }

  private async write(build: (tables: QueueTables) => Statement): Promise<void> {
    const { database, tables } = await this.connected();
    await database.query(build(tables));
  }

  private async read(build: (tables: QueueTables) => Statement) {
    const { database, tables } = await this.connected();
    return database.query(build(tables));
  }

  private connected(): Promise<Connected> {
    return this.connection.get();
  }
}
