import { InvalidOptionError } from '../errors/invalid-option.error.js';
import { UsageError } from '../errors/usage.error.js';
import { resolveOptions } from '../options/resolve-options.js';

/** The options that every command has. */
export interface Settings {
  readonly url?: string;
  readonly dataSource?: string;
  readonly service: string;
  readonly prefix: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** `false` for `--no-color`. */
  readonly color: boolean;
}

/** The module would refuse them too, but by the names of its own options. */
export function checkNames({ service, prefix }: Settings): void {
  check('--service', () => resolveOptions({ serviceName: service }));
  check('--prefix', () => resolveOptions({ tablePrefix: prefix }));
}

function check(option: string, read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof InvalidOptionError)) throw error;
    const cure = error.message.slice(error.message.indexOf('). ') + '). '.length);
    throw new UsageError(`${option} cannot be used`, error.value, cure);
  }
}
