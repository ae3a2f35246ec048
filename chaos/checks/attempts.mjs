import { MAX_CRASHES, MAX_RETRIES } from '../processes/limits.mjs';
import { checkUntold, untoldStarts } from './untold.mjs';
import { violation } from './violation.mjs';

/** The rounding of both ends. */
const TOLERANCE = 2;

/** One attempt at a time, not too many of them, and each one in the history. */
export function* checkAttempts(facts) {
  for (const job of facts.jobs) {
    const attempts = facts.attemptsOf(job.id);
    const untold = untoldStarts(job, attempts, facts);
    yield* checkOverlaps(job, attempts);
    yield* checkLimit(job, attempts, untold);
    yield* checkHistory(job, attempts);
    yield* checkCrashes(job, attempts);
    yield* checkUntold(job, untold, facts);
  }
}

/** A fence is valid from its claim to its attempt's end, and the next claim comes after that. */
function* checkOverlaps({ id }, attempts) {
  const started = attempts.filter(isStarted);
  for (const [index, attempt] of started.entries()) {
    const before = started[index - 1];
    const overlap = before === undefined ? 0 : before.ended_at - attempt.started_at;
    const text = () => `attempts ${before.fence} and ${attempt.fence} of job ${id} overlap by ${overlap} ms`;
    if (overlap > TOLERANCE) yield violation('overlap', text());
  }
}

/**
 * attempts ≤ maxRetries + 1 + crashes, of what was started, which a claim that was given back unopened was not. Three ends use up
 * no retry, and each has to be accounted for: a crash, whether the history tells of it (`checkCrashes` and `checkNodes` say who
 * died) or not (`checkUntold` does); a release, by a node that has stopped; and a continue, of which a job's payload says how many
 * it may ask for: what the history says about those is not believed.
 */
function* checkLimit({ id, retries, payload }, attempts, untold) {
  const { continues = 0 } = JSON.parse(payload);
  const started = attempts.filter(isStarted).length + untold.length;
  const crashes = countOf(attempts, 'reason', 'crash') + untold.length;
  const limit = MAX_RETRIES + 1 + crashes + countOf(attempts, 'outcome', 'released') + continues;
  const text = `job ${id} was started ${started} times, ${limit} are allowed (${crashes} crashes, ${continues} continues)`;
  if (started > limit) yield violation('too-many-attempts', text);
  if (retries > MAX_RETRIES)
    yield violation('too-many-attempts', `job ${id} was retried ${retries} times, ${MAX_RETRIES} are allowed`);
}

function* checkHistory({ id, state, fence, retries }, attempts) {
  const incomplete = (text) => violation('incomplete-history', text);
  const retried = countOf(attempts, 'outcome', 'retried');
  if (retried !== retries) yield incomplete(`job ${id} was retried ${retries} times, its history has ${retried}`);
  const ends = attempts.filter(({ outcome }) => outcome === 'succeeded' || outcome === 'failed');
  const isOver = state === 'succeeded' || state === 'failed';
  if (ends.length !== (isOver ? 1 : 0)) yield incomplete(`job ${id} is ${state}, its history has ${ends.length} ends`);
  const last = ends.at(-1);
  if (last === undefined) return;
  if (last.outcome !== state) yield incomplete(`job ${id} is ${state}, its history says ${last.outcome}`);
  // The rescue that fails a job raises its fence after the attempt.
  const expected = last.reason === 'crash' ? fence - 1 : fence;
  if (last.fence !== expected) yield incomplete(`job ${id} ended with fence ${last.fence}, its fence is ${fence}`);
}

/** The first crash of a job is not held against it: anything that ran beside it may have caused that. */
function* checkCrashes({ id, crashes }, attempts) {
  const crashed = countOf(attempts, 'reason', 'crash');
  if (crashed !== crashes && crashed !== crashes + 1)
    yield violation('incomplete-history', `job ${id} is blamed for ${crashes} crashes, its history has ${crashed}`);
  if (crashes > MAX_CRASHES)
    yield violation('too-many-attempts', `job ${id} was in ${crashes} crashes, ${MAX_CRASHES} are allowed`);
}

function isStarted({ started_at: at }) {
  return at !== null;
}

function countOf(attempts, column, value) {
  return attempts.filter((attempt) => attempt[column] === value).length;
}
