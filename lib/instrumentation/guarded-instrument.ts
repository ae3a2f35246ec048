import { Guard, type Tell } from './guard.js';
import type {
  AttemptConclusion,
  AttemptFacts,
  EnqueueConclusion,
  EnqueueFacts,
  EnqueueObservation,
  JobInstrument,
  JobObservation,
  StepConclusion,
  StepFacts,
} from './job-instrument.js';

/** Several as one, none of which can lose a job or make it fail: what they throw is told, and that is all. */
export class GuardedInstrument {
  private readonly guard: Guard;

  constructor(
    private readonly instruments: readonly JobInstrument[],
    tell: Tell,
  ) {
    this.guard = new Guard(tell);
  }

  enqueue(facts: EnqueueFacts): GuardedObservation<EnqueueConclusion, EnqueueObservation> {
    return this.observe((instrument) => instrument.enqueue?.(facts));
  }

  attempt(facts: AttemptFacts): GuardedObservation<AttemptConclusion> {
    return this.observe((instrument) => instrument.attempt?.(facts));
  }

  step(facts: StepFacts): GuardedObservation<StepConclusion> {
    return this.observe((instrument) => instrument.step?.(facts));
  }

  private observe<Conclusion, Observation extends JobObservation<Conclusion>>(
    begin: (instrument: JobInstrument) => Observation | undefined,
  ): GuardedObservation<Conclusion, Observation> {
    const observations: Observation[] = [];
    for (const instrument of this.instruments) {
      const observation = this.guard.call(() => begin(instrument));
      // Code without types may answer anything.
      if (typeof observation === 'object' && observation !== null) observations.push(observation);
    }
    return new GuardedObservation(observations, this.guard);
  }
}

export class GuardedObservation<
  Conclusion,
  Observation extends JobObservation<Conclusion> = JobObservation<Conclusion>,
> {
  private hasEnded = false;

  constructor(
    private readonly observations: readonly Observation[],
    private readonly guard: Guard,
  ) {}

  /** What the first one gives that gives any. */
  first<T>(read: (observation: Observation) => T | undefined): T | undefined {
    for (const observation of this.observations) {
      const found = this.guard.call(() => read(observation));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** `work` is begun once and at once, whatever they do with it, and its promise never is in their hands. */
  run<T>(work: () => Promise<T>): Promise<T> {
    let begun: Promise<T> | undefined;
    const start = () => (begun ??= promised(work));
    let next = () => void start();
    for (const observation of this.observations) {
      const inner = once(next);
      next = () => {
        this.guard.call(() => (observation.run === undefined ? inner() : observation.run(inner)));
        // Whoever has not called it keeps nobody else from looking on.
        inner();
      };
    }
    next();
    return start();
  }

  end(conclusion: Conclusion): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    for (const observation of this.observations) this.guard.call(() => observation.end?.(conclusion));
  }
}

/** What it throws at once is its failure as well, not theirs. */
function promised<T>(work: () => Promise<T>): Promise<T> {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error);
  }
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    work();
  };
}
