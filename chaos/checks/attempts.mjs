import { MAX_RETRIES } from '../processes/limits.mjs';

/** The rounding of both ends. */
const TOLERANCE = 2;

/** One attempt at a time, not too many of them, and each one in the history. */
export function* checkAttempts(facts) {
  for (const job of facts.jobs) {
    const attempts = facts.attemptsOf(job.id);
    yield* checkOverlaps(job, attempts);
    yield* checkLimit(job, attempts);
    yield* checkHistory(job, attempts);
    yield* checkStarts(job, attempts, facts);
  }
}

/** A fence is valid from its claim to its attempt's end, and the next claim comes after that. */
function* checkOverlaps({ id }, attempts) {
  const started = attempts.filter(({ started_at: at }) => at !== null);
  for (const [index, attempt] of started.entries()) {
    const before = started[index - 1];
    const overlap = before === undefined ? 0 : before.ended_at - attempt.started_at;
    if (overlap > TOLERANCE)
      yield `attempts ${before.fence} and ${attempt.fence} of job ${id} overlap by ${overlap} ms`;
  }
}

function* checkLimit({ id, retries }, attempts) {
  const used = attempts.filter(({ outcome, reason }) => outcome === 'retried' || isOrdinaryEnd(outcome, reason)).length;
  if (used > MAX_RETRIES + 1) yield `job ${id} was executed ${used} times, ${MAX_RETRIES + 1} are allowed`;
  if (retries > MAX_RETRIES) yield `job ${id} was retried ${retries} times, ${MAX_RETRIES} are allowed`;
}

function isOrdinaryEnd(outcome, reason) {
  return outcome === 'succeeded' || (outcome === 'failed' && reason !== 'crash');
}

function* checkHistory({ id, state, fence, retries, crashes }, attempts) {
  const retried = attempts.filter(({ outcome }) => outcome === 'retried').length;
  if (retried !== retries) yield `job ${id} was retried ${retries} times, its history has ${retried}`;
  const crashed = attempts.filter(({ reason }) => reason === 'crash').length;
  if (crashes > crashed) yield `job ${id} was in ${crashes} crashes, its history has ${crashed}`;
  const ends = attempts.filter(({ outcome }) => outcome === 'succeeded' || outcome === 'failed');
  const isOver = state === 'succeeded' || state === 'failed';
  if (ends.length !== (isOver ? 1 : 0)) yield `job ${id} is ${state}, its history has ${ends.length} ends`;
  const last = ends.at(-1);
  if (last === undefined) return;
  if (last.outcome !== state) yield `job ${id} is ${state}, its history says ${last.outcome}`;
  // The rescue that fails a job raises its fence after the attempt.
  const expected = last.reason === 'crash' ? fence - 1 : fence;
  if (last.fence !== expected) yield `job ${id} ended with fence ${last.fence}, its fence is ${fence}`;
}

/** An attempt without a row is one whose process died before its start was told: in the first moments of the handler. */
function* checkStarts({ id }, attempts, { effectsOf, nodes }) {
  const known = new Set(attempts.map((attempt) => attempt.fence));
  for (const { fence, effect, process } of effectsOf(id)) {
    if (effect !== 'start' || known.has(fence)) continue;
    const died = nodes.some(({ name, state }) => state === 'dead' && name.endsWith(`:${process}`));
    if (!died) yield `attempt ${fence} of job ${id} is missing in the history, and its process ${process} has not died`;
  }
}
