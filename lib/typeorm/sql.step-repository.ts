import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { DueTime, JobToken } from '../job/job.js';
import type { JobSteps, PlannedStep, SavedStep, StepEnd, StepPlace } from '../job/step.js';
import type { RecordedError } from '../support/serialise-error.js';
import { StepRepository, type RestartedJob, type StepAnswer, type WhichJob } from '../repository/step-repository.js';
import { ApplicationDataSource } from './application-data-source.js';
import { Callers } from './callers.js';
import { QueueConnection } from './queue-connection.js';
import { numericId } from './row.js';
import { planSteps, reportError } from './statements/plan-steps.js';
import { readJobSteps, readSavedStep, selectJobSteps, selectSteps } from './statements/read-steps.js';
import { restartJob } from './statements/restart-job.js';
import { saveSleep, saveStep } from './statements/save-step.js';

@Injectable()
export class SqlStepRepository extends StepRepository {
  private readonly callers: Callers;

  constructor(
    application: ApplicationDataSource,
    private readonly connection: QueueConnection,
  ) {
    super();
    this.callers = new Callers(application);
  }

  async load(id: string): Promise<SavedStep[]> {
    const { database, tables } = await this.connection.get();
    return (await database.query(selectSteps(tables, Number(id)))).rows.map(readSavedStep);
  }

  save(token: JobToken, end: StepEnd): Promise<StepAnswer> {
    return this.connection.transaction((tables) => saveStep(tables, token, end));
  }

  async saveIn(manager: EntityManager, token: JobToken, end: StepEnd): Promise<StepAnswer> {
    const connected = await this.connection.get();
    return this.callers.run(manager, connected, () => saveStep(connected.tables, token, end));
  }

  plan(token: JobToken, steps: readonly PlannedStep[]): Promise<boolean> {
    return this.connection.transaction((tables) => planSteps(tables, token, steps));
  }

  async report(token: JobToken, error: RecordedError): Promise<boolean> {
    const { database, tables } = await this.connection.get();
    return (await database.query(reportError(tables, token, error))).affected > 0;
  }

  sleep(token: JobToken, step: StepPlace, wake: DueTime): Promise<number | undefined> {
    return this.connection.transaction((tables) => saveSleep(tables, token, step, wake));
  }

  async list(id: string): Promise<JobSteps> {
    const { database, tables } = await this.connection.get();
    return readJobSteps((await database.query(selectJobSteps(tables, numericId(id)))).rows);
  }

  restart(job: WhichJob, fromStep: string, context: string | undefined): Promise<RestartedJob | undefined> {
    return this.connection.transaction((tables) => restartJob(tables, job, fromStep, context));
  }
}
