import { nameFault } from '../job/job-type.js';
import { InvalidOptionError } from '../errors/invalid-option.error.js';
import { OptionReader } from '../options/option-reader.js';

/**
 * Of `@opentelemetry/api`: any TracerProvider. In its own words, so that who does not use it need not install it.
 *
 * @publicApi
 */
export interface TracerProviderLike {
  getTracer(name: string, version?: string): unknown;
}

/**
 * Of `@opentelemetry/api`: any MeterProvider.
 *
 * @publicApi
 */
export interface MeterProviderLike {
  getMeter(name: string, version?: string): unknown;
}

/**
 * Of `prom-client`: any Registry.
 *
 * @publicApi
 */
export interface RegisterLike {
  registerMetric(metric: never): void;
  getSingleMetric(name: string): unknown;
  removeSingleMetric(name: string): void;
}

/**
 * Options of `PersistentQueueTelemetryModule.forRoot()`: at least one of `traces`, `metrics` and `prometheus`.
 *
 * @publicApi
 */
export interface PersistentQueueTelemetryOptions {
  /** The `name` of the module whose jobs are seen. By default that of the one without a name. */
  queue?: string;
  /**
   * Spans by OpenTelemetry, of the TracerProvider that is given, or of the global one. Needs `@opentelemetry/api`.
   * @default false
   */
  traces?: boolean | { tracerProvider?: TracerProviderLike };
  /**
   * Metrics by OpenTelemetry, of the MeterProvider that is given, or of the global one. Needs `@opentelemetry/api`.
   * @default false
   */
  metrics?: boolean | { meterProvider?: MeterProviderLike };
  /**
   * The same metrics by `prom-client`, in the register that is given, or in its default one. `prefix`: default `persistent_queue_`.
   * `buckets`: upper bounds of all durations, in seconds.
   * @default false
   */
  prometheus?: boolean | { register?: RegisterLike; prefix?: string; buckets?: readonly number[] };
  /**
   * Whether this process asks the database for the numbers of jobs and nodes: they are the same in every process.
   * @default true
   */
  database?: boolean;
}

/** The same, checked; what is off is `undefined`. */
export interface ResolvedTelemetryOptions {
  readonly queue: string | undefined;
  readonly traces: { readonly tracerProvider: TracerProviderLike | undefined } | undefined;
  readonly metrics: { readonly meterProvider: MeterProviderLike | undefined } | undefined;
  readonly prometheus: PrometheusOptions | undefined;
  readonly database: boolean;
}

export interface PrometheusOptions {
  readonly register: RegisterLike | undefined;
  readonly prefix: string;
  readonly buckets: readonly number[];
}

const OWNER = 'PersistentQueueTelemetryModule.forRoot()';
const OPTIONS = [
  'queue',
  'traces',
  'metrics',
  'prometheus',
  'database',
] as const satisfies readonly (keyof PersistentQueueTelemetryOptions)[];

/** In seconds, as the conventions of messaging have them, and further: jobs may take long. */
export const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900] as const;

/** @throws UnknownOptionError, InvalidOptionError */
export function readTelemetryOptions(given: PersistentQueueTelemetryOptions): ResolvedTelemetryOptions {
  const options = new OptionReader(OWNER, given, OPTIONS);
  const traces = readPart(options, 'traces', ['tracerProvider']);
  const metrics = readPart(options, 'metrics', ['meterProvider']);
  const prometheus = readPart(options, 'prometheus', ['register', 'prefix', 'buckets']);
  if (traces === undefined && metrics === undefined && prometheus === undefined) {
    const cure = 'Give at least one of traces: true, metrics: true and prometheus: true.';
    throw new InvalidOptionError(OWNER, given, cure);
  }
  return {
    queue: readQueue(options),
    traces: traces && {
      tracerProvider: readObject(traces, 'tracerProvider', 'getTracer') as TracerProviderLike | undefined,
    },
    metrics: metrics && {
      meterProvider: readObject(metrics, 'meterProvider', 'getMeter') as MeterProviderLike | undefined,
    },
    prometheus: prometheus && {
      register: readObject(prometheus, 'register', 'registerMetric') as RegisterLike | undefined,
      prefix: readPrefix(prometheus),
      buckets: readBuckets(prometheus),
    },
    database: options.flag('database', true),
  };
}

function readPart(options: OptionReader, name: string, known: readonly string[]): OptionReader | undefined {
  const value = options.value(name);
  if (value === undefined || value === false) return undefined;
  if (value === true) return new OptionReader(`${OWNER}.${name}`, {}, known);
  if (typeof value !== 'object')
    return options.refuse(name, value, `Give true, false or an object of ${known.join(', ')}.`);
  return options.group(name, known);
}

function readQueue(options: OptionReader): string | undefined {
  const value = options.value('queue');
  if (value === undefined) return undefined;
  const fault = nameFault(value, 64);
  return fault === undefined ? (value as string) : options.refuse('queue', value, fault);
}

function readObject(options: OptionReader, name: string, method: string): object | undefined {
  const value = options.value(name);
  if (value === undefined) return undefined;
  if (typeof value === 'object' && value !== null && typeof Reflect.get(value, method) === 'function') return value;
  return options.refuse(name, value, `Give an object that has ${method}().`);
}

function readPrefix(options: OptionReader): string {
  const value = options.text('prefix') ?? 'persistent_queue_';
  if (/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(value)) return value;
  return options.refuse('prefix', value, 'Give letters, digits and underscores, the first no digit.');
}

function readBuckets(options: OptionReader): readonly number[] {
  const value = options.value('buckets') ?? BUCKETS;
  const isRising = (bound: unknown, at: number, all: unknown[]) =>
    typeof bound === 'number' && Number.isFinite(bound) && bound > ((all[at - 1] as number | undefined) ?? 0);
  if (Array.isArray(value) && value.length > 0 && value.every(isRising)) return value as number[];
  return options.refuse('buckets', value, 'Give seconds above 0, each larger than the one before.');
}
