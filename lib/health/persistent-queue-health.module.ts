import { Module, type DynamicModule, type InjectionToken } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { HealthIndicatorService } from '@nestjs/terminus';
import { OptionReader } from '../options/option-reader.js';
import { PersistentQueueHealthIndicator } from './persistent-queue.health.js';

/**
 * Options of `PersistentQueueHealthModule.forRoot()`.
 *
 * @publicApi
 */
export interface PersistentQueueHealthOptions {
  /** The `name` of the queue module; without it that without one. */
  queue?: string;
}

/**
 * Provides `PersistentQueueHealthIndicator`; for the queue named `reports` it has the token `'PersistentQueueHealthIndicator:reports'`.
 *
 * @publicApi
 */
@Module({})
export class PersistentQueueHealthModule {
  /** @throws InvalidOptionError, UnknownOptionError */
  static forRoot(options: PersistentQueueHealthOptions = {}): DynamicModule {
    const queue = new OptionReader('PersistentQueueHealthModule.forRoot()', options, ['queue']).text('queue');
    const token = tokenOf(queue);
    const indicator = {
      provide: token,
      inject: [HealthIndicatorService, ModuleRef],
      useFactory: (indicators: HealthIndicatorService, moduleRef: ModuleRef) =>
        new PersistentQueueHealthIndicator(indicators, moduleRef, queue),
    };
    // Not by TerminusModule: an application gives that options, and would have a second one without.
    return { module: PersistentQueueHealthModule, providers: [HealthIndicatorService, indicator], exports: [token] };
  }
}

function tokenOf(queue: string | undefined): InjectionToken {
  return queue === undefined ? PersistentQueueHealthIndicator : `PersistentQueueHealthIndicator:${queue}`;
}
