import type { QueueEvents } from '../events/queue-events.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { LocalWakeSignal } from '../signal/local.wake-signal.js';
import { SharedWakeSignal } from '../signal/shared.wake-signal.js';
import type { WakeSignal } from '../signal/wake-signal.js';
import type { ApplicationDataSource } from './application-data-source.js';
import { PostgresWakeUps } from './postgres.wake-ups.js';

export function wakeSignal(
  application: ApplicationDataSource,
  options: ResolvedOptions,
  events: QueueEvents,
): WakeSignal {
  const { wakeUps } = options;
  if (wakeUps === undefined) return new LocalWakeSignal();
  const way = wakeUps === 'postgres' ? new PostgresWakeUps(application, options) : wakeUps;
  return new SharedWakeSignal(way, options, events);
}
