import { violation } from './violation.mjs';

/** What was committed is there and has ended; what was rolled back never was; a purchase and its jobs are one thing. */
export function* checkEnqueues({ jobs, ledger, purchases, intents }) {
  for (const { id, type, state } of jobs) {
    if (!['succeeded', 'failed'].includes(state))
      yield violation('unfinished', `job ${id} (${type}) has not reached its end: it is ${state}`);
  }
  yield* checkOnce(jobs, purchases);
  yield* checkCommitted(jobs, purchases, intents);
  yield* checkRolledBack(jobs, ledger, purchases, intents);
  yield* checkTogether(jobs, purchases, intents);
}

function* checkOnce(jobs, purchases) {
  for (const token of repeated(jobs.map(({ reference }) => reference)))
    yield violation('doubled-enqueue', `two jobs of ${token}, enqueued once`);
  for (const token of repeated(purchases.map((purchase) => purchase.token)))
    yield violation('doubled-enqueue', `two purchases ${token}, made once`);
}

function* checkCommitted(jobs, purchases, intents) {
  const ids = new Set(jobs.map(({ id }) => id));
  const bought = new Set(purchases.map(({ token }) => token));
  for (const { token, way, committed } of intents) {
    if (committed === undefined) continue;
    for (const { id } of committed)
      if (!ids.has(id)) yield violation('lost-enqueue', `job ${id} of ${token} is lost: its enqueue was committed`);
    if (isPurchase(way) && !bought.has(token))
      yield violation('lost-enqueue', `purchase ${token} is lost: its transaction was committed`);
  }
}

function* checkRolledBack(jobs, ledger, purchases, intents) {
  const tokens = new Set(intents.filter(({ way }) => way === 'rolledback').map(({ token }) => token));
  const isOfOne = (token) => tokens.has(purchaseOf(token));
  for (const { id, reference } of jobs)
    if (isOfOne(reference)) yield violation('not-rolled-back', `job ${id} of ${reference} exists: it was rolled back`);
  for (const { token } of ledger)
    if (isOfOne(token)) yield violation('not-rolled-back', `a job of ${token} has run: its enqueue was rolled back`);
  for (const { token } of purchases)
    if (tokens.has(token)) yield violation('not-rolled-back', `purchase ${token} exists: it was rolled back`);
}

/** A transaction whose COMMIT was never answered may have happened or not, but not in part. */
function* checkTogether(jobs, purchases, intents) {
  const bought = new Set(purchases.map(({ token }) => token));
  const ways = new Map(intents.map(({ token, way }) => [token, way]));
  const jobsOf = new Map();
  for (const { id, reference } of jobs) {
    const token = purchaseOf(reference);
    if (reference.endsWith('-child')) continue;
    jobsOf.set(token, (jobsOf.get(token) ?? 0) + 1);
    if (isPurchase(ways.get(token)) && !bought.has(token))
      yield violation('torn-transaction', `job ${id} of ${reference} exists without its purchase`);
  }
  for (const { token, way, jobs: count } of intents) {
    const found = jobsOf.get(token) ?? 0;
    if (way === 'bought' && bought.has(token) && found !== count)
      yield violation('torn-transaction', `purchase ${token} has ${found} of its ${count} jobs`);
  }
}

function isPurchase(way) {
  return way === 'bought' || way === 'crossed';
}

/** Jobs are called after their purchase and a number, children after their parent. */
function purchaseOf(reference) {
  return reference.replace(/-child$/, '').replace(/-\d+$/, '');
}

function repeated(values) {
  const seen = new Set();
  return values.filter((value) => seen.size === seen.add(value).size);
}
