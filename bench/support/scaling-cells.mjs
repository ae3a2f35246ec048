const SERVERS = ['mariadb', 'mysql', 'postgres'];

/** Jobs at once in each process. */
export const CONCURRENCY = 10;
export const MILLISECONDS = 20;
export const PROCESSES = [1, 2, 4, 8, 16];
/** Processes, the types that each of them handles, and how often it looks while jobs come. */
export const CALM = [
  { processes: 1, types: 1, every: '20ms' },
  { processes: 1, types: 50, every: '20ms' },
  { processes: 1, types: 500, every: '20ms' },
  { processes: 16, types: 50, every: '20ms' },
  { processes: 16, types: 50, every: '200ms' },
];
/** Jobs per second for all processes together, which leaves them calm. */
export const TRICKLE = 200;
export const TYPES = [1, 50, 200, 500];
/** Living nodes, and the jobs that run on all of them. */
export const CROWDS = [
  { nodes: 16, running: 1_600 },
  { nodes: 64, running: 6_400 },
  { nodes: 256, running: 25_600 },
];

/** What is told apart in the tables. What no ratio is made of is measured once. */
export const CELLS = {
  noop: PROCESSES.map((processes) => ({ kind: 'noop', processes })),
  sleep: PROCESSES.map((processes) => ({ kind: 'sleep', processes, rounds: 1 })),
  calm: CALM.map((cell) => ({ kind: 'calm', ...cell, rounds: 1 })),
  looks: [{ kind: 'looks', rounds: 1 }],
};

export function cells() {
  return Object.values(CELLS)
    .flat()
    .flatMap((cell) => SERVERS.map((database) => ({ system: 'ours', variant: variantOf(cell), database, ...cell })));
}

export function variantOf({ kind, processes = '', types = '', every = '' }) {
  return `${kind} ${processes} ${types} ${every}`.trim();
}

/** Jobs per second if they cost nothing. */
export function idealOf({ processes }) {
  return (1_000 / MILLISECONDS) * CONCURRENCY * processes;
}
