import { Random } from './random.mjs';

const COMMON = [
  'kill a worker',
  'kill a worker',
  'kill a producer',
  'stop a worker',
  'stop a worker',
  'stop a worker',
  'lie about the clock',
];
const ON_SERVERS = [
  ...COMMON,
  'restart the database',
  'drop connections',
  'stall connections',
  'half-close connections',
  'cut commits',
  'cut commits',
  'fill the pool',
];
const ON_CLUSTERS = [
  ...ON_SERVERS.filter((kind) => kind !== 'restart the database'),
  'kill a member of the cluster',
  'isolate a member of the cluster',
];
const ON_SQLITE = [...COMMON, 'kill the holder of the write lock'];
const BAGS = { mysql: ON_SERVERS, postgres: ON_SERVERS, galera: ON_CLUSTERS, sqlite: ON_SQLITE };

export const PRODUCERS = 2;
/** Of a cluster. */
const MEMBERS = 3;

/** Everything the nemesis will do: nothing but the seed decides. */
export function drawPlan({ seed, minutes, lease, calm, workers, dialect }) {
  const random = new Random(seed);
  const faults = [];
  let bag = [];
  for (let at = calm; at < minutes * 60_000; at += random.between(1_200, 3_200)) {
    // By the bagful, so that a short run has all of them too.
    if (bag.length === 0) bag = shuffle(random, BAGS[dialect]);
    const kind = bag.pop();
    faults.push({ at, kind, ...drawTarget(random, kind, workers), ms: drawTime(random, kind, lease) });
  }
  return faults;
}

function drawTarget(random, kind, workers) {
  const worker = random.between(0, workers - 1);
  const producer = random.between(0, PRODUCERS - 1);
  if (kind.endsWith('of the cluster')) return { target: `member-${random.between(0, MEMBERS - 1)}` };
  if (kind === 'kill a producer') return { target: `producer-${producer}` };
  const ofConnections = kind.endsWith('connections') || kind === 'cut commits';
  return { target: ofConnections && random.chance(0.25) ? `producer-${producer}` : `worker-${worker}` };
}

/** How long it lasts: a stop outlives the lease, so that others have taken the jobs when it ends. */
function drawTime(random, kind, lease) {
  if (kind === 'stop a worker') return lease.duration + random.between(1_000, 5_000);
  if (kind === 'stall connections') return random.between(500, lease.duration + 2_000);
  // Longer than it takes to be left out, and than the lease of those that stay with it.
  if (kind === 'isolate a member of the cluster') return lease.duration + random.between(2_000, 5_000);
  if (kind === 'restart the database' || kind === 'kill a member of the cluster') return random.between(0, 1_500);
  return random.between(1_000, 4_000);
}

function shuffle(random, list) {
  const left = [...list];
  return list.map(() => left.splice(random.between(0, left.length - 1), 1)[0]);
}
