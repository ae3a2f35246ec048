import { redisWakeUps } from '../../dist/redis/index.js';

/** By their names in a cell's options; run.mjs says to its children where Redis is. */
export const WAKE_UPS = {
  none: () => undefined,
  postgres: () => 'postgres',
  redis: () => redisWakeUps({ options: JSON.parse(process.env.BENCH_REDIS) }),
};

/** What a measure with and without them has more, in its name and its cells: on which databases, beside which server. */
export const WITH_WAKE_UPS = [
  { title: 'NOTIFY', wakeUps: 'postgres', on: ['postgres'] },
  { title: 'Redis', wakeUps: 'redis', on: ['mariadb', 'mysql', 'postgres'], beside: 'redis' },
];

/** One for each way and each database that has it. */
export function wakeUpCells(variant, options = {}) {
  return WITH_WAKE_UPS.flatMap(({ title, wakeUps, on, beside }) =>
    on.map((database) => ({
      system: 'ours',
      variant: `${variant}, ${title}`,
      database,
      options: { ...options, wakeUps },
      ...(beside === undefined ? {} : { beside }),
    })),
  );
}
