import { jobTypeFault, nameFault } from '../job/job-type.js';
import { LONGEST_TIMER } from '../support/duration.js';
import type { JobHandlerOptions } from './handler-options.js';
import type { PersistentQueueOptions, QueueRole } from './module-options.js';
import { OptionReader } from './option-reader.js';
import { resolveHandlerOptions } from './resolve-handler-options.js';
import type { ResolvedOptions } from './resolved-options.js';

const ROLES: readonly QueueRole[] = ['enqueue', 'work', 'schedule', 'maintain'];

/** Milliseconds that an event loop may stand still. */
const HUNG_AFTER = 300_000;

const MODULE_OPTIONS = [
  'serviceName',
  'dataSource',
  'connections',
  'roles',
  'types',
  'autoStart',
  'synchronize',
  'tablePrefix',
  'locks',
  'concurrency',
  'handlers',
  'poll',
  'wakeUps',
  'lease',
  'shutdownTimeout',
  'retention',
  'maxPayloadBytes',
  'globalEnhancers',
  'logs',
] as const satisfies readonly (keyof PersistentQueueOptions)[];

/** Fills in the defaults. Throws `InvalidOptionError` or `UnknownOptionError` for anything the module could not run with. */
export function resolveOptions(given: PersistentQueueOptions = {}, name?: string): ResolvedOptions {
  const options = new OptionReader('PersistentQueueModule.forRoot()', given, MODULE_OPTIONS);
  const types = options.group('types', ['include', 'exclude']);
  const roles = readRoles(options);
  return {
    name,
    serviceName: readName(options, 'serviceName', 'default'),
    dataSource: options.text('dataSource'),
    // Two at the least: one is kept for the heartbeat and for renewing locks, so that work cannot starve them.
    connections: options.group('connections', ['max']).integer('max', isNode(roles) ? 4 : 2, 2, 100),
    roles,
    include: readTypes(types, 'include'),
    exclude: readTypes(types, 'exclude') ?? new Set(),
    autoStart: options.flag('autoStart', true),
    synchronize: options.value('synchronize') === undefined ? undefined : options.flag('synchronize', false),
    tablePrefix: readTablePrefix(options),
    lockTable: readLockTable(options.group('locks', ['table'])),
    concurrency: options.integer('concurrency', 100, 1, 100_000),
    handlers: readHandlers(options),
    ...readTimes(options),
    wakeUps: readWakeUps(options),
    retention: readRetention(options),
    maxPayloadBytes: options.integer('maxPayloadBytes', 1_048_576, 1, 64 * 1_048_576),
    globalEnhancers: options.flag('globalEnhancers', false),
    logs: readLogs(options.group('logs', ['errors', 'burst'])),
  };
}

function readTimes(options: OptionReader) {
  const poll = options.group('poll', ['min', 'max']);
  const times = {
    pollMin: poll.duration('min', '20ms', 1, LONGEST_TIMER),
    pollMax: poll.duration('max', '2s', 1, LONGEST_TIMER),
    ...readLease(options.group('lease', ['duration', 'beat', 'thread', 'hungAfter'])),
    shutdownTimeout: options.duration('shutdownTimeout', '20s', 0, LONGEST_TIMER),
  };
  if (times.pollMin > times.pollMax) poll.refuse('min', times.pollMin, `Give at most poll.max (${times.pollMax} ms).`);
  return times;
}

/** By what it can do: it may be of another copy of this library. */
function readWakeUps(options: OptionReader): ResolvedOptions['wakeUps'] {
  const value = options.value('wakeUps');
  const isWay = typeof value === 'object' && value !== null && typeof Reflect.get(value, 'open') === 'function';
  if (value === undefined || value === 'postgres' || isWay) return value as ResolvedOptions['wakeUps'];
  const cure = "Give 'postgres', or what redisWakeUps() answers, or leave it out: then others poll.";
  return options.refuseSecret('wakeUps', value, cure);
}

function readLease(lease: OptionReader) {
  const leaseDuration = lease.duration('duration', '15s', 100, LONGEST_TIMER);
  const leaseBeat = lease.duration('beat', '4s', 10, LONGEST_TIMER);
  const hungAfter = lease.optionalDuration('hungAfter', 1, LONGEST_TIMER) ?? Math.max(HUNG_AFTER, 2 * leaseDuration);
  if (leaseBeat * 2 > leaseDuration) {
    const cure = `Give at most half of lease.duration (${leaseDuration} ms), or one late beat is a death.`;
    lease.refuse('beat', leaseBeat, cure);
  }
  if (hungAfter <= leaseDuration) {
    lease.refuse('hungAfter', hungAfter, `Give more than lease.duration (${leaseDuration} ms).`);
  }
  return { leaseDuration, leaseBeat, hungAfter, leaseThread: lease.flag('thread', true) };
}

function readRetention(options: OptionReader): ResolvedOptions['retention'] {
  const retention = options.group('retention', ['succeeded', 'failed', 'history']);
  return {
    succeeded: retention.duration('succeeded', '7d'),
    failed: retention.duration('failed', '30d'),
    history: retention.duration('history', '30d'),
  };
}

function readLogs(logs: OptionReader): ResolvedOptions['logs'] {
  const errors = logs.value('errors') ?? 'message';
  if (errors !== 'message' && errors !== 'name') return logs.refuse('errors', errors, "Give 'message' or 'name'.");
  return { errors, burst: logs.integer('burst', 10, 1) };
}

function readName(options: OptionReader, name: string, fallback: string): string {
  const value = options.value(name) ?? fallback;
  const fault = nameFault(value, 64);
  return fault === undefined ? (value as string) : options.refuse(name, value, fault);
}

function readTablePrefix(options: OptionReader): string {
  const value = options.value('tablePrefix') ?? 'pq_';
  if (typeof value === 'string' && /^[A-Za-z_]\w{0,20}$/.test(value)) return value;
  return options.refuse(
    'tablePrefix',
    value,
    'Give a letter or underscore and up to 20 letters, digits or underscores.',
  );
}

function readLockTable(locks: OptionReader): string | undefined {
  const value = locks.text('table');
  if (value === undefined || /^[A-Za-z_]\w{0,62}$/.test(value)) return value;
  return locks.refuse('table', value, 'Give a letter or underscore and up to 62 letters, digits or underscores.');
}

function readRoles(options: OptionReader): ReadonlySet<QueueRole> {
  const value = options.value('roles') ?? ROLES;
  if (!Array.isArray(value) || value.length === 0)
    return options.refuse('roles', value, `Give an array of any of ${ROLES.join(', ')}.`);
  const unknown: unknown = value.find((role) => !ROLES.includes(role as QueueRole));
  if (unknown !== undefined) options.refuse('roles', unknown, `Give any of ${ROLES.join(', ')}.`);
  return new Set(value as QueueRole[]);
}

/** Whether the process does anything by itself, beside what its application calls. */
export function isNode(roles: ReadonlySet<QueueRole>): boolean {
  return roles.has('work') || roles.has('maintain') || roles.has('schedule');
}

function readTypes(options: OptionReader, name: string): ReadonlySet<string> | undefined {
  const value = options.value(name);
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) return options.refuse(name, value, 'Give an array of job types.');
  for (const type of value) {
    const fault = jobTypeFault(type);
    if (fault !== undefined) options.refuse(name, type, fault);
  }
  return new Set(value.map(String));
}

function readHandlers(options: OptionReader): Readonly<Record<string, JobHandlerOptions>> {
  const handlers = (options.value('handlers') ?? {}) as Record<string, JobHandlerOptions>;
  if (typeof handlers !== 'object' || Array.isArray(handlers))
    options.refuse('handlers', handlers, 'Give an object: job type → options.');
  for (const [type, override] of Object.entries(handlers)) {
    resolveHandlerOptions(`PersistentQueueModule.forRoot().handlers['${type}']`, override);
  }
  return handlers;
}
