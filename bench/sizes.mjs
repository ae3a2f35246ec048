/** What is measured by default. */
export const FULL = {
  rounds: 3,
  /** Of each system in each measure, at most. */
  variants: Infinity,
  /** Of a cell, if its jobs have not ended before. */
  seconds: 4,
  drainJobs: 100_000,
  enqueueSeconds: 1,
  bulkJobs: 100_000,
  latencyJobs: 150,
  latencyPause: 50,
  handlers: 50,
  warmUpSeconds: 8,
  warmUpJobs: 500,
  idleSeconds: 10,
  calmSeconds: 6,
  waitingJobs: 100_000,
  crowd: 1_000_000,
  crowdedJobs: 10_000,
  retriedJobs: 50_000,
  calls: 10_000,
  lookSeconds: 1.5,
};

/** Shows within two minutes that everything works. Its figures mean nothing. */
export const QUICK = {
  ...FULL,
  rounds: 1,
  variants: 1,
  seconds: 1,
  drainJobs: 1_000,
  enqueueSeconds: 0.2,
  bulkJobs: 2_000,
  latencyJobs: 10,
  latencyPause: 20,
  warmUpSeconds: 1,
  warmUpJobs: 1,
  idleSeconds: 1,
  calmSeconds: 1,
  waitingJobs: 2_000,
  crowd: 10_000,
  crowdedJobs: 1_000,
  retriedJobs: 1_000,
  calls: 500,
  lookSeconds: 0.2,
};
