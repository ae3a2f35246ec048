import { Injectable } from '@nestjs/common';
import { InvalidJobError } from '../errors/invalid-job.error.js';

/** Job types of this process whose jobs are rows of the application's tables: a job of ours would wait for ever. */
@Injectable()
export class OperationTypes {
  private readonly types = new Set<string>();

  add(type: string): void {
    this.types.add(type);
  }

  refuse(type: string): void {
    if (!this.types.has(type)) return;
    const cure = 'Its jobs are rows of a table of yours, because its handler has an `operation`: insert a row there.';
    throw new InvalidJobError('type', type, cure);
  }
}
