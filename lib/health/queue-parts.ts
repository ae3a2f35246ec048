import type { ModuleRef } from '@nestjs/core';
import { InvalidOptionError } from '../errors/invalid-option.error.js';
import { QueueInspector } from '../inspection/queue-inspector.js';
import { NodeLease } from '../node/node-lease.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { scopedTokens } from '../persistent-queue.module.js';
import { ScheduleRepository } from '../repository/schedule-repository.js';

/** What a queue module is asked about. */
export interface QueueParts {
  readonly inspector: QueueInspector;
  readonly schedules: ScheduleRepository;
  readonly lease: NodeLease;
  readonly options: ResolvedOptions;
}

/** Of the module with the name, wherever it was imported. */
export function findQueueParts(moduleRef: ModuleRef, queue: string | undefined): QueueParts {
  const tokens = queue === undefined ? undefined : scopedTokens(queue);
  const find = <T>(token: abstract new (...dependencies: never[]) => T): T =>
    moduleRef.get<T>(tokens?.get(token) ?? token, { strict: false });
  try {
    return {
      inspector: find(QueueInspector),
      schedules: find(ScheduleRepository),
      lease: find(NodeLease),
      options: find(ResolvedOptions),
    };
  } catch {
    const cure = `Import PersistentQueueModule.forRoot({ ${queue === undefined ? '' : `name: '${queue}', `}… }) as well.`;
    throw new InvalidOptionError('PersistentQueueHealthModule.forRoot().queue', queue ?? 'the unnamed queue', cure);
  }
}
