import { STEPS } from '../processes/limits.mjs';
import { violation } from './violation.mjs';

const TRANSACTIONAL = ['transactional', 'owntransaction'];
/** The rounding of both ends. */
const TOLERANCE = 2;

/** What a handler writes together with its job's end is there once if the job has ended so, and else not at all. */
export function* checkEffects({ jobs, effectsOf, attemptsOf }) {
  const references = new Set(jobs.map(({ reference }) => reference));
  for (const { id, type, state, reference } of jobs) {
    if (!TRANSACTIONAL.includes(type)) continue;
    const expected = { done: state === 'succeeded' ? 1 : 0, step: count(attemptsOf(id), 'outcome', 'continued') };
    for (const [effect, wanted] of Object.entries(expected)) {
      const found = count(effectsOf(id), 'effect', effect);
      const text = `${type} job ${id}, ${state}, has ${found} effects '${effect}' instead of ${wanted}`;
      if (found !== wanted) yield violation(found < wanted ? 'missing-effect' : 'doubled-effect', text);
    }
    if (state !== 'succeeded' && references.has(`${reference}-child`))
      yield violation('doubled-effect', `job ${id} is ${state}, and has enqueued its child in its transaction`);
  }
}

/** A step writes its effect once, however many attempts come to it; a job that has succeeded has come to all of them. */
export function* checkSteps({ jobs, effectsOf }) {
  for (const { id, state } of jobs.filter(({ type }) => type === 'stepped')) {
    for (const step of STEPS) {
      const found = count(effectsOf(id), 'effect', step);
      const text = `stepped job ${id}, ${state}, has done step '${step}' ${found} times`;
      if (found > 1) yield violation('doubled-effect', text);
      if (found === 0 && state === 'succeeded') yield violation('missing-effect', text);
    }
  }
}

/** What a node writes whose fence is gone changes nothing. */
export function* checkFences(facts) {
  for (const job of facts.jobs) {
    const attempts = new Map(facts.attemptsOf(job.id).map((attempt) => [attempt.fence, attempt]));
    yield* checkEnd(job);
    for (const effect of facts.effectsOf(job.id)) {
      yield* checkWriter(job, effect, attempts.get(effect.fence));
      if (effect.way === 'fenced') yield* checkFenced(job, effect, attempts.get(effect.fence));
    }
  }
}

/** Every handler answers its fence. */
function* checkEnd({ id, type, state, fence, result }) {
  const endedBy = state === 'succeeded' && result ? JSON.parse(result).fence : fence;
  if (endedBy !== fence)
    yield violation('stale-fence', `${type} job ${id} was ended by fence ${endedBy}, its fence is ${fence}`);
}

/** Who writes the end of an attempt is who has run it, whatever that end is. */
function* checkWriter({ id, type }, { fence, process }, attempt) {
  if (attempt === undefined || processOf(attempt.node) === process) return;
  const text = `attempt ${fence} of ${type} job ${id} ran in process ${process}, and was ended by ${attempt.node}`;
  yield violation('stale-fence', text);
}

function* checkFenced({ id, fence: last }, { fence, at }, attempt) {
  const wrote = `fenced job ${id} wrote with fence ${fence}`;
  if (fence > last) yield violation('stale-fence', `${wrote}, its fence is ${last}`);
  const late = at - (attempt?.ended_at ?? Infinity);
  if (late > TOLERANCE) yield violation('stale-fence', `${wrote} ${late} ms after that was gone`);
}

/** A node is called `host:process#id`. */
function processOf(node) {
  return Number(/:(\d+)#/.exec(node)[1]);
}

function count(rows, column, value) {
  return rows.filter((row) => row[column] === value).length;
}
