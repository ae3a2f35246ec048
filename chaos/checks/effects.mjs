const TRANSACTIONAL = ['transactional', 'owntransaction'];

/** What a handler writes together with its job's end is there once if the job has ended so, and else not at all. */
export function* checkEffects({ jobs, effectsOf, attemptsOf }) {
  const references = new Set(jobs.map(({ reference }) => reference));
  for (const { id, type, state, reference } of jobs) {
    if (!TRANSACTIONAL.includes(type)) continue;
    const expected = { done: state === 'succeeded' ? 1 : 0, step: count(attemptsOf(id), 'outcome', 'continued') };
    for (const [effect, wanted] of Object.entries(expected)) {
      const found = count(effectsOf(id), 'effect', effect);
      if (found !== wanted) yield `${type} job ${id}, ${state}, has ${found} effects '${effect}' instead of ${wanted}`;
    }
    if (state !== 'succeeded' && references.has(`${reference}-child`))
      yield `job ${id} is ${state}, and has enqueued its child in its transaction`;
  }
}

/** What a node writes whose fence is gone changes nothing. */
export function* checkFences({ jobs, effectsOf, attemptsOf }) {
  for (const { id, type, state, fence, result } of jobs) {
    const settledBy = state === 'succeeded' && result ? JSON.parse(result).fence : fence;
    if (settledBy !== fence) yield `${type} job ${id} was ended by fence ${settledBy}, its fence is ${fence}`;
    const ends = new Map(attemptsOf(id).map((attempt) => [attempt.fence, attempt.ended_at]));
    for (const effect of effectsOf(id).filter(({ way }) => way === 'fenced')) {
      if (effect.fence > fence) yield `fenced job ${id} wrote with fence ${effect.fence}, its fence is ${fence}`;
      if (effect.at > (ends.get(effect.fence) ?? Infinity) + 2)
        yield `fenced job ${id} wrote with fence ${effect.fence} ${effect.at - ends.get(effect.fence)} ms after that was gone`;
    }
  }
}

function count(rows, column, value) {
  return rows.filter((row) => row[column] === value).length;
}
