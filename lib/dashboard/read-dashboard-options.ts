import type { CanActivate, Type } from '@nestjs/common';
import { InvalidOptionError } from '../errors/invalid-option.error.js';
import { OptionReader } from '../options/option-reader.js';
import { DashboardOptions, type PersistentQueueDashboardOptions } from './dashboard-options.js';

const OWNER = 'PersistentQueueDashboardModule.forRoot()';
const OPTIONS = [
  'path',
  'guard',
  'open',
  'readOnly',
  'payloads',
  'redact',
  'decorators',
  'queue',
  'imports',
] as const satisfies readonly (keyof PersistentQueueDashboardOptions)[];

/** Segments of letters, digits and `-_.~`: no parameters and no wildcards, whose values would be part of every link. */
const PATH = /^[\w.~-]+(\/[\w.~-]+)*$/;

/** Throws `InvalidOptionError` or `UnknownOptionError`. */
export function readDashboardOptions(given: PersistentQueueDashboardOptions): DashboardOptions {
  const options = new OptionReader(OWNER, given, OPTIONS);
  return new DashboardOptions(
    readPath(options),
    readGuard(options),
    options.flag('readOnly', true),
    readPayloads(options),
    readRedact(options),
    readDecorators(options),
    options.text('queue'),
  );
}

function readPath(options: OptionReader): string {
  const given = options.text('path') ?? 'queues';
  const path = given.replaceAll(/^\/+|\/+$/g, '');
  if (PATH.test(path)) return path;
  return options.refuse('path', given, "Give a path without parameters, such as 'queues' or 'admin/queues'.");
}

/** Nothing is shown to everybody by accident: that has to be said. */
function readGuard(options: OptionReader): Type<CanActivate> | undefined {
  const guard = options.value('guard');
  const open = options.value('open');
  if (open !== undefined && open !== true) options.refuse('open', open, 'Give true, or leave it out and give a guard.');
  if (guard === undefined && open === undefined) {
    const cure =
      'Give a guard (a CanActivate class) that knows who may see the jobs, or say `open: true` for everybody who reaches the application.';
    throw new InvalidOptionError(`${OWNER}.guard`, guard, cure);
  }
  if (guard === undefined) return undefined;
  if (open === true) options.refuse('open', open, 'Give either a guard or `open: true`, not both.');
  if (isGuard(guard)) return guard;
  return options.refuse('guard', guard, 'Give a class with canActivate(): Nest makes it, with what it wants injected.');
}

function isGuard(guard: unknown): guard is Type<CanActivate> {
  const prototype: unknown = typeof guard === 'function' ? guard.prototype : undefined;
  return typeof prototype === 'object' && prototype !== null && 'canActivate' in prototype;
}

function readPayloads(options: OptionReader): boolean {
  const value = options.value('payloads') ?? 'hidden';
  if (value === 'hidden' || value === 'shown') return value === 'shown';
  return options.refuse('payloads', value, "Give 'hidden' or 'shown'.");
}

function readRedact(options: OptionReader): DashboardOptions['redact'] {
  const value = options.value('redact') ?? ((shown: unknown) => shown);
  if (typeof value === 'function') return value as DashboardOptions['redact'];
  return options.refuse('redact', value, 'Give a function from a value to what is shown of it.');
}

function readDecorators(options: OptionReader): readonly ClassDecorator[] {
  const value = options.value('decorators') ?? [];
  if (Array.isArray(value) && value.every((each) => typeof each === 'function')) return value as ClassDecorator[];
  return options.refuse('decorators', value, 'Give an array of class decorators, such as [Public()].');
}
