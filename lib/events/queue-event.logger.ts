import { Injectable, Logger } from '@nestjs/common';
import type { Subscription } from 'rxjs';
import { oneLine } from '../support/one-line.js';
import { serialiseError } from '../support/serialise-error.js';
import { LogEntry } from './log-entry.js';
import { isLogged, lineOf } from './log-lines.js';
import { fieldsOf, kindKeyOf, kindOf, toLoggable, type LoggedErrors } from './loggable.js';
import type { QueueEvent } from './queue-event.js';
import { QueueEvents } from './queue-events.js';
import { Repeats } from './repeats.js';

/** Milliseconds in which no more than `burst` lines of a kind are told. */
const WINDOW = 10_000;

/** What the module's options say of the log. */
export interface LogSettings {
  readonly serviceName: string;
  readonly logs: { readonly errors: LoggedErrors; readonly burst: number };
}

/** The one subscriber that logs. A payload is in no event, and so in no line. */
@Injectable()
export class QueueEventLogger {
  private readonly logger = new Logger('PersistentQueue');
  private subscription: Subscription | undefined;
  private repeats: Repeats<QueueEvent> | undefined;
  /** Of this process, as long as it is one. */
  private node: string | undefined;

  constructor(private readonly events: QueueEvents) {}

  start(settings: LogSettings, window = WINDOW): void {
    if (this.subscription !== undefined) return;
    const tellRest = (first: QueueEvent, untold: number) => this.tellRest(first, untold, window, settings);
    this.repeats = new Repeats({ most: settings.logs.burst, window, tellRest });
    this.subscription = this.events.events$.subscribe((event) => this.log(event, settings));
  }

  stop(): void {
    this.subscription?.unsubscribe();
    this.subscription = undefined;
    this.repeats?.flush();
  }

  private log(event: QueueEvent, settings: LogSettings): void {
    if (event.name === 'node.registered') this.node = event.node;
    if (!isLogged(event)) return;
    if (this.repeats?.admits(kindKeyOf(event), event.name, event) === true) this.tell(event, settings);
  }

  private tell(event: QueueEvent, { serviceName: service, logs: { errors } }: LogSettings): void {
    this.print(() => {
      const loggable = toLoggable(event, errors);
      const line = lineOf(loggable);
      return line && new LogEntry(...line, fieldsOf(loggable, errors, { service, node: this.node }));
    });
  }

  private tellRest(first: QueueEvent, untold: number, window: number, { serviceName: service }: LogSettings): void {
    this.print(() => {
      const loggable = toLoggable(first, 'name');
      const kind = kindOf(loggable);
      const { event, ...more } = kind;
      const name = [event, ...Object.values(more)].join(', ');
      const sentence = `… and ${untold} more like it in the last ${window / 1_000} s: ${name}`;
      const [level = 'warn'] = lineOf(loggable) ?? [];
      return new LogEntry(level, sentence, { ...kind, service, repeated: untold });
    });
  }

  /** The logger is the application's: what it throws would leave an event, or a timer, and end the process. */
  private print(make: () => LogEntry | undefined): void {
    let entry: LogEntry | undefined;
    try {
      entry = make();
      if (entry !== undefined) this.logger[entry.level](entry);
    } catch (error) {
      printPlainly(entry, error);
    }
  }
}

/** Where nothing else is left. */
function printPlainly(entry: LogEntry | undefined, error: unknown): void {
  try {
    const why = oneLine(serialiseError(error).message, 300);
    process.stderr.write(
      `${entry?.message ?? 'A line of the log is lost'} (PersistentQueue: the logger has thrown: ${why})\n`,
    );
  } catch {
    // A closed pipe: there is nowhere to say it.
  }
}
