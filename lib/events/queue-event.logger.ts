import { Injectable, Logger } from '@nestjs/common';
import type { Subscription } from 'rxjs';
import { oneLine } from '../support/one-line.js';
import { serialiseError } from '../support/serialise-error.js';
import { LogEntry, type LogFields, type LogLevel } from './log-entry.js';
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

/** All that is kept of an event to tell how many more there were: its error may be megabytes. */
interface Kind {
  readonly level: LogLevel;
  readonly fields: LogFields;
}

/** The one subscriber that logs. A payload is in no event, and so in no line. */
@Injectable()
export class QueueEventLogger {
  private readonly logger = new Logger('PersistentQueue');
  private subscription: Subscription | undefined;
  private repeats: Repeats<Kind> | undefined;
  /** Of this process, as long as it is one. */
  private node: string | undefined;

  constructor(private readonly events: QueueEvents) {}

  start(settings: LogSettings, window = WINDOW): void {
    if (this.subscription !== undefined) return;
    const tellRest = (kind: Kind, untold: number) => this.tellRest(kind, untold, window, settings);
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
    if (isLogged(event)) this.print(() => this.admitted(event, settings));
  }

  private admitted(event: QueueEvent, { serviceName: service, logs: { errors } }: LogSettings): LogEntry | undefined {
    const isTold = this.repeats?.admits(kindKeyOf(event), event.name, () => readKind(event));
    if (isTold !== true) return undefined;
    const loggable = toLoggable(event, errors);
    const line = lineOf(loggable);
    return line && new LogEntry(...line, fieldsOf(loggable, errors, { service, node: this.node }));
  }

  private tellRest(
    { level, fields }: Kind,
    untold: number,
    window: number,
    { serviceName: service }: LogSettings,
  ): void {
    const name = Object.values(fields).join(', ');
    const sentence = `… and ${untold} more like it in the last ${window / 1_000} s: ${name}`;
    const origin: LogFields = this.node === undefined ? { service } : { service, node: this.node };
    this.print(() => new LogEntry(level, sentence, { ...fields, ...origin, repeated: untold }));
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

function readKind(event: QueueEvent): Kind {
  const loggable = toLoggable(event, 'name');
  const [level = 'warn'] = lineOf(loggable) ?? [];
  return { level, fields: kindOf(loggable) };
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
