/** What is measured by default. */
export const FULL = {
  rounds: 3,
  drainJobs: 10_000,
  latencyJobs: 200,
  latencyPause: 50,
  warmUp: 20_000,
  idle: 30_000,
  handlers: 50,
  waitingRows: 1_000_000,
};

/** Shows within a minute that everything works. Its figures mean nothing. */
export const QUICK = {
  ...FULL,
  rounds: 1,
  drainJobs: 1_000,
  latencyJobs: 20,
  warmUp: 5_000,
  idle: 5_000,
  waitingRows: 10_000,
};
