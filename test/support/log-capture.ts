import { Logger, type LoggerService } from '@nestjs/common';
import type { LogEntry } from '../../lib/events/log-entry.js';
import { QueueEventLogger, type LogSettings } from '../../lib/events/queue-event.logger.js';
import { QueueEvents } from '../../lib/events/queue-events.js';

/** The logger of an application that keeps what it is given. */
export class LogCapture implements LoggerService {
  readonly entries: { level: string; entry: LogEntry; more: unknown[] }[] = [];
  readonly error = this.keep('error');
  readonly warn = this.keep('warn');
  readonly log = this.keep('log');
  readonly debug = this.keep('debug');

  get sentences(): string[] {
    return this.entries.map(({ entry }) => String(entry));
  }

  /** As whoever prints JSON sees them. */
  get fields(): Record<string, unknown>[] {
    return this.entries.map(({ entry }) => JSON.parse(JSON.stringify(entry)) as Record<string, unknown>);
  }

  private keep(level: string) {
    return (entry: LogEntry, ...more: unknown[]): void => void this.entries.push({ level, entry, more });
  }
}

export interface StartedLog {
  readonly events: QueueEvents;
  readonly capture: LogCapture;
  readonly stop: () => void;
}

/** The subscriber alone, and an application's logger that keeps what it is given. */
export function startLog(settings: Partial<LogSettings['logs']> = {}, window?: number): StartedLog {
  const events = new QueueEvents();
  const capture = new LogCapture();
  const logger = new QueueEventLogger(events);
  Logger.overrideLogger(capture);
  logger.start({ serviceName: 'shop', logs: { errors: 'message', burst: 10, ...settings } }, window);
  return { events, capture, stop: () => logger.stop() };
}
