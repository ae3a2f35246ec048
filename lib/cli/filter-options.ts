import type { Command } from 'commander';
import type { JobFilter } from '../job/job-filter.js';
import { collect, readTime } from './values.js';

/** Options that say which jobs are meant. */
export interface FilterOptions {
  readonly type?: string;
  readonly state?: readonly string[];
  readonly key?: string;
  readonly reference?: string;
  readonly from?: Date;
  readonly until?: Date;
}

export function filterOptions(command: Command): Command {
  return command
    .option('--type <type>', 'of this job type')
    .option('--state <state>', 'in this state; several with commas', collect)
    .option('--key <key>', 'with this key')
    .option('--reference <reference>', 'with this reference')
    .option('--from <time>', 'created at this time or later: 2026-11-21, or 2026-11-21T03:00:00Z', readTime)
    .option('--until <time>', 'created before this time', readTime);
}

/** The queue checks the states. */
export function readFilter({ type, state, key, reference, from, until }: FilterOptions): JobFilter {
  return {
    ...(type === undefined ? {} : { type }),
    ...(state === undefined ? {} : { state: state as NonNullable<JobFilter['state']> }),
    ...(key === undefined ? {} : { key }),
    ...(reference === undefined ? {} : { reference }),
    ...(from === undefined ? {} : { createdFrom: from }),
    ...(until === undefined ? {} : { createdUntil: until }),
  };
}
