const TYPES = ['plain', 'fenced', 'sleeper', 'transactional', 'owntransaction', 'stepped'];

/** A type and a payload, most of them harmless: see `handlersOf`. */
export function drawJob(random, token, dialect) {
  const type = random.pick(TYPES);
  const payload = { token, ms: drawTime(random, type, dialect) };
  if (type === 'sleeper') payload.again = random.between(6_000, 8_000);
  if (random.chance(0.12)) payload.fails = random.between(1, 4);
  if (['plain', 'transactional'].includes(type) && random.chance(0.1)) payload.continues = random.between(1, 2);
  if (type === 'owntransaction' && random.chance(0.2)) payload.swallows = true;
  if (type === 'owntransaction' && random.chance(0.3)) payload.child = `${token}-child`;
  return { type, payload, reference: token };
}

/** SQLite's one write lock is held for as long as a transaction takes. */
function drawTime(random, type, dialect) {
  if (type === 'sleeper') return random.between(500, 4_000);
  const inTransaction = type === 'transactional' || type === 'owntransaction';
  if (inTransaction && dialect === 'sqlite') return random.between(0, 10);
  if (random.chance(0.12)) return random.between(1_000, inTransaction ? 1_500 : 4_000);
  return random.between(0, 60);
}
