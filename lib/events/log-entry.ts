import { inspect } from 'node:util';

export type LogLevel = 'error' | 'warn' | 'debug';

/** What is searched for: flat, and without undefined. */
export type LogFields = Readonly<Record<string, string | number | readonly string[]>>;

const COLOURS = { error: 'red', warn: 'yellow', debug: 'magentaBright' } as const;

/**
 * One line of the log, for whichever logger the application has: those that print text show the sentence, those that print JSON find the
 * fields as properties, and the sentence as one more.
 */
export class LogEntry {
  readonly message: string;

  constructor(
    readonly level: LogLevel,
    message: string,
    fields: LogFields,
  ) {
    // pino, winston and Nest write a level of their own.
    Object.defineProperty(this, 'level', { value: level, enumerable: false });
    this.message = message;
    Object.assign(this, fields);
  }

  toString(): string {
    return this.message;
  }

  /** Nest's ConsoleLogger paints sentences only when they are strings. */
  [inspect.custom](_depth: number, { colors = false }: { colors?: boolean }): string {
    const [on, off] = inspect.colors[COLOURS[this.level]] ?? [0, 0];
    return colors ? `\u001B[${on}m${this.message}\u001B[${off}m` : this.message;
  }
}
