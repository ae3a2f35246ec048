import { Injectable } from '@nestjs/common';
import { InvalidJobError } from '../errors/invalid-job.error.js';
import { JobNotFoundError } from '../errors/job-not-found.error.js';
import { MissingRoleError } from '../errors/missing-role.error.js';
import { QueueEvents } from '../events/queue-events.js';
import type { AcknowledgedJob, Acknowledgement, AcknowledgeRequest } from '../job/acknowledgement.js';
import { OptionReader } from '../options/option-reader.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { JobRepository } from '../repository/job-repository.js';
import { serialiseError } from '../support/serialise-error.js';
import { ApplicationTransactions } from '../typeorm/application-transactions.js';
import type { AcknowledgeOptions, FinishOptions } from './acknowledge-options.js';
import { AfterCommit } from './after-commit.js';
import { serialiseJobValue } from './build-job.js';

const OPTIONS = ['delivery', 'manager'] as const;

/** What consumers tell about delivered jobs: checked, in the transaction that it belongs to, and told to this process after its commit. */
@Injectable()
export class Acknowledger {
  constructor(
    private readonly repository: JobRepository,
    private readonly afterCommit: AfterCommit,
    private readonly transactions: ApplicationTransactions,
    private readonly events: QueueEvents,
    private readonly options: ResolvedOptions,
  ) {}

  async finish(id: string, given: FinishOptions): Promise<Acknowledgement> {
    const delivery = readDelivery(new OptionReader('finish()', given, ['result', ...OPTIONS]));
    const { result: value } = given;
    const result = value === undefined ? undefined : serialiseJobValue('result', value, this.options.maxPayloadBytes);
    return this.send(id, { kind: 'finish', delivery, result, error: undefined }, given);
  }

  async processing(id: string, given: AcknowledgeOptions): Promise<Acknowledgement> {
    const delivery = readDelivery(new OptionReader('processing()', given, OPTIONS));
    return this.send(id, { kind: 'processing', delivery, result: undefined, error: undefined }, given);
  }

  async fail(id: string, reason: string, given: AcknowledgeOptions): Promise<Acknowledgement> {
    if (typeof reason !== 'string' || reason === '')
      throw new InvalidJobError('reason', reason, 'Give a string of at least one character: people will look for it.');
    const delivery = readDelivery(new OptionReader('fail()', given, OPTIONS));
    const { message } = serialiseError(new Error(reason));
    return this.send(
      id,
      { kind: 'fail', delivery, result: undefined, error: { name: 'PermanentJobError', message } },
      given,
    );
  }

  private async send(
    id: string,
    request: AcknowledgeRequest,
    { manager: given }: AcknowledgeOptions,
  ): Promise<Acknowledgement> {
    const { roles } = this.options;
    if (!roles.has('enqueue')) throw new MissingRoleError('enqueue', roles);
    const job = await this.transactions.inCallers(given, async (manager) => {
      const answer = await this.repository.acknowledge(id, request, manager);
      if (answer?.accepted === true) this.afterCommit.tell(manager, () => this.tell(id, answer, request));
      return answer;
    });
    if (job === undefined) throw new JobNotFoundError(id);
    const { accepted, state, reason } = job;
    return { accepted, state, reason };
  }

  private tell(id: string, { type, attempt, state }: AcknowledgedJob, { error }: AcknowledgeRequest): void {
    const job = { id, type, attempt };
    if (state === 'succeeded') this.events.emit({ name: 'job.succeeded', job });
    const { message = '', name: errorName } = error ?? {};
    if (state === 'failed') this.events.emit({ name: 'job.failed', job, reason: 'error', error: message, errorName });
  }
}

function readDelivery(options: OptionReader): number | undefined {
  const delivery = options.value('delivery');
  if (delivery === undefined) return undefined;
  if (typeof delivery === 'number' && Number.isSafeInteger(delivery) && delivery > 0) return delivery;
  return options.refuse('delivery', delivery, 'Give the number that the handler got as job.delivery, or leave it out.');
}
