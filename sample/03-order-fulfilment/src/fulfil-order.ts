import { Injectable } from '@nestjs/common';
import {
  JobStep,
  MultiStepJob,
  OnJobFailed,
  OnJobSucceeded,
  PermanentJobError,
  type JobContext,
  type RecordedError,
} from 'nestjs-persistent-queue';
import { setTimeout } from 'node:timers/promises';
import { Payment } from './payment.entity.js';

/** The context of the job: at first what is enqueued, then what the steps make of it. */
export interface Fulfilment {
  order: string;
  card: 'good' | 'declined';
  reserved?: boolean;
  parcel?: string;
}

/** What a step that has ended tells the main process. */
export type Report = { order: string; what: string } | { ready: number };

@Injectable()
@MultiStepJob('order.fulfil', { waitTime: '500ms', concurrency: 3 })
export class FulfilOrder {
  @JobStep({ order: 1, description: 'Take it from the stock' })
  async reserve(context: Fulfilment): Promise<void> {
    await work();
    context.reserved = true;
    tell(context, 'reserved');
  }

  /** What it writes and its end are committed together: whenever the process dies, there is one payment. */
  @JobStep({ order: 2, description: 'Charge the card', transactional: true })
  async charge({ order, card }: Fulfilment, job: JobContext): Promise<void> {
    await job.manager.insert(Payment, { order, process: process.pid });
    // The declined one is rolled back with its payment.
    if (card === 'declined') throw new PermanentJobError('the card was declined');
    tell({ order }, 'charged');
  }

  @JobStep({ order: 3, description: 'Pack it, and wait for the van' })
  async pack(context: Fulfilment, job: JobContext): Promise<void> {
    context.parcel = await job.step('label', () => `parcel ${context.order}`);
    // No process waits: the job is a row that is due in a second.
    await job.sleep('until the van comes', '1s');
    tell(context, 'packed');
  }

  /** The parcel service is busy now and then: this step is tried again, and no other. */
  @JobStep({ order: 4, description: 'Hand it over', maxRetries: Infinity })
  async ship(context: Fulfilment, job: JobContext): Promise<string> {
    await work();
    if (job.attempt === 1 && context.order.endsWith('5')) {
      tell(context, 'not shipped: the parcel service is busy');
      throw new Error('the parcel service is busy');
    }
    tell(context, 'shipped');
    return `tracking number of ${context.parcel}`;
  }

  @JobStep({ order: 5, description: 'Mail the customer' })
  async mail(context: Fulfilment): Promise<void> {
    await work();
    tell(context, 'mailed');
  }

  @OnJobSucceeded()
  fulfilled(context: Fulfilment): void {
    tell(context, 'fulfilled');
  }

  @OnJobFailed()
  release(context: Fulfilment, _job: JobContext, error: RecordedError): void {
    tell(context, `back to the stock: ${error.message}`);
  }
}

function work(): Promise<void> {
  return setTimeout(150 + Math.random() * 150);
}

function tell({ order }: Pick<Fulfilment, 'order'>, what: string): void {
  process.send?.({ order, what } satisfies Report);
}
