import type { NewSchedule } from '../../lib/job/schedule.js';

/** As `Schedules.upsert()` would store it, with every default. */
export function newSchedule(overrides: Partial<NewSchedule>): NewSchedule {
  return {
    name: 's',
    spec: '@every 1h',
    timeZone: 'UTC',
    type: 't',
    payload: 'null',
    enabled: undefined,
    misfire: 'once',
    misfireLimit: 100,
    overlap: 'allow',
    jitter: 0,
    startsAt: 0,
    endsAt: 0,
    alertAfter: 0,
    description: undefined,
    extra: undefined,
    ...overrides,
  };
}
