import { Injectable } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';
import { InvalidStepError } from '../errors/invalid-step.error.js';
import { LeaseLostError } from '../errors/lease-lost.error.js';
import { NotRunningError } from '../errors/not-running.error.js';
import { UnwritableError } from '../errors/unwritable.error.js';
import { QueueEvents } from '../events/queue-events.js';
import { JobInstrumentation } from '../instrumentation/job-instrumentation.js';
import type { DueTime } from '../job/job.js';
import { serialiseStepValue } from '../job/serialise-step-value.js';
import type { PlannedStep, SavedStep, StepEnd, StepPlace } from '../job/step.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { StepRepository, type StepAnswer } from '../repository/step-repository.js';
import { messageOf } from '../support/message-of.js';
import { serialiseError } from '../support/serialise-error.js';
import { ApplicationTransactions } from '../typeorm/application-transactions.js';
import type { Begun } from './end-of.js';
import type { StepOwner } from './step-owner.js';
import { Suspended } from './suspension.js';

const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1_000;

/**
 * Reads and writes steps for their claims. What cannot be written is tried again for as long as the claim lasts: a step that has been
 * done is not done again because the database was away.
 */
@Injectable()
export class StepKeeper {
  /** No step is begun any more: this node stops. */
  isStopping = false;

  constructor(
    private readonly repository: StepRepository,
    private readonly transactions: ApplicationTransactions,
    private readonly events: QueueEvents,
    private readonly instrumentation: JobInstrumentation,
    private readonly options: ResolvedOptions,
  ) {}

  /** Of a first claim nothing can be saved yet. */
  load(owner: StepOwner): Promise<SavedStep[]> {
    if (owner.job.fence === 1) return Promise.resolve([]);
    return this.reload(owner);
  }

  reload(owner: StepOwner): Promise<SavedStep[]> {
    return this.insist(owner, () => this.repository.load(owner.job.id));
  }

  /** Runs a step, and what is told to those who look on. */
  async observed<T>({ job }: StepOwner, { name, kind, attempts }: Begun, work: () => Promise<T>): Promise<T> {
    const { id, type } = job;
    const observation = this.instrumentation.current?.step({ id, type, name, kind, attempt: attempts });
    if (observation === undefined) return work();
    try {
      const value = await observation.run(work);
      observation.end({ outcome: 'succeeded', error: undefined });
      return value;
    } catch (error) {
      const isOver = error instanceof Suspended || error instanceof LeaseLostError;
      observation.end({ outcome: isOver ? 'suspended' : 'failed', error: isOver ? undefined : serialiseError(error) });
      throw error;
    }
  }

  /** @throws LeaseLostError */
  async save(owner: StepOwner, end: StepEnd): Promise<StepAnswer> {
    return this.held(owner, await this.insist(owner, () => this.repository.save(owner.job, end), end.name));
  }

  /**
   * What `work` writes and the end of the step in one transaction of the application's DataSource: both or neither.
   *
   * @throws LeaseLostError after the rollback.
   */
  transaction<T>(
    owner: StepOwner,
    work: (manager: EntityManager) => Promise<T>,
    endOf: (value: T) => StepEnd,
  ): Promise<T> {
    return this.transactions.begin(async (manager) => {
      const value = await work(manager);
      this.held(owner, await this.repository.saveIn(manager, owner.job, endOf(value)));
      return value;
    });
  }

  /** @throws LeaseLostError */
  async plan(owner: StepOwner, steps: readonly PlannedStep[]): Promise<void> {
    this.held(owner, (await this.insist(owner, () => this.repository.plan(owner.job, steps))) || 'lost');
  }

  /** Why the job waits, for whoever looks at it. @throws LeaseLostError */
  async report(owner: StepOwner, error: Error): Promise<void> {
    const { name, message } = error;
    this.held(owner, (await this.insist(owner, () => this.repository.report(owner.job, { name, message }))) || 'lost');
  }

  /** Answers how many milliseconds are left. @throws LeaseLostError */
  async sleep(owner: StepOwner, step: StepPlace, wake: DueTime): Promise<number> {
    const left = await this.insist(owner, () => this.repository.sleep(owner.job, step, wake), step.name);
    return this.held(owner, left ?? 'lost');
  }

  /** Saving beside a transaction that is open would leave it in the dark about its own step; on SQLite it could not even be done. */
  refuseInsideTransaction(step: string): void {
    if (this.transactions.current === undefined) return;
    const cure = 'Call it outside, and give it { transactional: true } to write in a transaction of its own.';
    throw new InvalidStepError(step, 'a transaction', 'cannot be run inside of a transaction', cure);
  }

  /** JSON text; `undefined` for nothing. @throws InvalidStepError */
  serialise(step: string, part: 'result' | 'context', value: unknown): string | undefined {
    return serialiseStepValue(step, part, value, this.options.maxPayloadBytes);
  }

  private held<T>(owner: StepOwner, answer: T | 'lost'): T {
    if (answer !== 'lost') return answer;
    owner.abandon('taken away');
    throw new LeaseLostError('taken away');
  }

  private async insist<T>(owner: StepOwner, work: () => Promise<T>, step?: string): Promise<T> {
    for (let wait = FIRST_PAUSE; ; wait = Math.min(wait * 2, LONGEST_PAUSE)) {
      if (owner.isAbandoned) throw new LeaseLostError('taken away');
      try {
        return await work();
      } catch (error) {
        if (error instanceof NotRunningError) throw error;
        if (error instanceof UnwritableError && error.why === 'refused') throw refusal(step ?? '', error);
        this.events.databaseError('saving a step', error);
        await pause(wait);
      }
    }
  }
}

function refusal(step: string, { cause }: UnwritableError): InvalidStepError {
  const cure = 'Change what the step returns or leaves in its context.';
  return new InvalidStepError(step, messageOf(cause), 'has something that the database refuses to store', cure, {
    cause,
  });
}
