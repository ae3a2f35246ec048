import { OptionReader } from '../options/option-reader.js';
import { LONGEST_TIMER, type Duration } from '../support/duration.js';

/**
 * Options of `PersistentQueueHealthIndicator.isReady()`.
 *
 * @publicApi
 */
export interface ReadinessOptions {
  /**
   * How long the database may take to answer.
   * @default '3s'
   */
  timeout?: Duration;
  /**
   * How old the last heartbeat of this process may be.
   * @default the lease's duration
   */
  nodeBeat?: Duration;
}

/**
 * Options of `PersistentQueueHealthIndicator.check()`.
 *
 * @publicApi
 */
export interface HealthOptions extends ReadinessOptions {
  /**
   * For how long a job may be due without having begun; jobs of paused types are not counted.
   * @default '5m'
   */
  oldestDue?: Duration;
  /**
   * Whether types with waiting jobs that no living node runs are a problem.
   * @default true
   */
  unhandledTypes?: boolean;
  /**
   * Whether schedules without a success for longer than their `alertAfter` are a problem.
   * @default true
   */
  lateSchedules?: boolean;
}

/** Durations are milliseconds. */
export interface ResolvedHealthOptions {
  readonly timeout: number;
  readonly nodeBeat: number | undefined;
  readonly oldestDue: number;
  readonly unhandledTypes: boolean;
  readonly lateSchedules: boolean;
}

const READINESS = ['timeout', 'nodeBeat'];

export function readReadinessOptions(options: ReadinessOptions): Pick<ResolvedHealthOptions, 'timeout' | 'nodeBeat'> {
  return readReadiness(new OptionReader('isReady()', options, READINESS));
}

export function readHealthOptions(options: HealthOptions): ResolvedHealthOptions {
  const reader = new OptionReader('check()', options, [...READINESS, 'oldestDue', 'unhandledTypes', 'lateSchedules']);
  return {
    ...readReadiness(reader),
    oldestDue: reader.duration('oldestDue', '5m'),
    unhandledTypes: reader.flag('unhandledTypes', true),
    lateSchedules: reader.flag('lateSchedules', true),
  };
}

function readReadiness(reader: OptionReader): Pick<ResolvedHealthOptions, 'timeout' | 'nodeBeat'> {
  return {
    timeout: reader.duration('timeout', '3s', 1, LONGEST_TIMER),
    nodeBeat: reader.optionalDuration('nodeBeat', 1),
  };
}
