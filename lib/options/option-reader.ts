import { InvalidOptionError } from '../errors/invalid-option.error.js';
import { parseDuration } from '../support/duration.js';
import { refuseUnknownOptions } from '../support/did-you-mean.js';

/** Reads the options of one owner and refuses what cannot be used, naming the option, the value and the cure. */
export class OptionReader {
  private readonly given: Record<string, unknown>;

  constructor(
    private readonly owner: string,
    given: unknown,
    known: readonly string[],
  ) {
    if (given === null || typeof given !== 'object' || Array.isArray(given)) {
      throw new InvalidOptionError(owner, given, 'Give an object of options.');
    }
    refuseUnknownOptions(owner, given, known);
    this.given = given as Record<string, unknown>;
  }

  value(name: string): unknown {
    return this.given[name];
  }

  integer(name: string, fallback: number, least: number, most = Number.MAX_SAFE_INTEGER): number {
    const value = this.given[name] ?? fallback;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value;
    return this.refuse(
      name,
      value,
      `Give an integer from ${least}${most === Number.MAX_SAFE_INTEGER ? ' up' : ` to ${most}`}.`,
    );
  }

  duration(name: string, fallback: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
    return this.optionalDuration(name, least, most) ?? Number(parseDuration(fallback));
  }

  optionalDuration(name: string, least = 0, most = Number.MAX_SAFE_INTEGER): number | undefined {
    const value = this.given[name];
    if (value === undefined) return undefined;
    const milliseconds = parseDuration(value);
    if (milliseconds !== undefined && milliseconds >= least && milliseconds <= most) return milliseconds;
    const range = most === Number.MAX_SAFE_INTEGER ? `at least ${least} ms` : `${least} to ${most} ms`;
    return this.refuse(name, value, `Give milliseconds or a string such as '3m', ${range}.`);
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.given[name] ?? fallback;
    return typeof value === 'boolean' ? value : this.refuse(name, value, 'Give true or false.');
  }

  text(name: string): string | undefined {
    const value = this.given[name];
    if (value === undefined || (typeof value === 'string' && value !== '')) return value;
    return this.refuse(name, value, 'Give a string of at least one character.');
  }

  group(name: string, known: readonly string[]): OptionReader {
    return new OptionReader(this.path(name), this.given[name] ?? {}, known);
  }

  refuse(name: string, value: unknown, cure: string): never {
    throw new InvalidOptionError(this.path(name), value, cure);
  }

  /** Tells nothing of the value, which may hold a password. */
  refuseSecret(name: string, value: unknown, cure: string): never {
    throw new InvalidOptionError(this.path(name), value, cure, { isSecret: true });
  }

  private path(name: string): string {
    return `${this.owner}.${name}`;
  }
}
