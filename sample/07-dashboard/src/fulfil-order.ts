import { Injectable } from '@nestjs/common';
import { JobStep, MultiStepJob, type JobContext } from 'nestjs-persistent-queue';
import { setTimeout } from 'node:timers/promises';

@Injectable()
@MultiStepJob('order.fulfil', { waitTime: '100ms' })
export class FulfilOrder {
  @JobStep({ order: 1, description: 'Take it from the stock' })
  async reserve(): Promise<void> {
    await setTimeout(40);
  }

  @JobStep({ order: 2, description: 'Pack it, and wait for the van' })
  async pack(_: unknown, job: JobContext): Promise<void> {
    await setTimeout(20);
    await job.sleep('until the van comes', '1h');
  }

  @JobStep({ order: 3, description: 'Hand it over' })
  ship(): void {}
}
