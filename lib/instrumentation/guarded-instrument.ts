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

type Tell = (error: unknown) => void;

/** Several as one, none of which can lose a job or make it fail: what they throw is told, and that is all. */
export class GuardedInstrument {
  constructor(
    private readonly instruments: readonly JobInstrument[],
    private readonly tell: Tell,
  ) {}

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
      try {
        const observation = begin(instrument);
        if (observation !== undefined) observations.push(observation);
      } catch (error) {
        this.tell(error);
      }
    }
    return new GuardedObservation(observations, this.tell);
  }
}

export class GuardedObservation<
  Conclusion,
  Observation extends JobObservation<Conclusion> = JobObservation<Conclusion>,
> {
  private hasEnded = false;

  constructor(
    readonly observations: readonly Observation[],
    private readonly tell: Tell,
  ) {}

  /** `work` is begun once and at once, whatever they do with it, and its promise never is in their hands. */
  run<T>(work: () => Promise<T>): Promise<T> {
    let begun: Promise<T> | undefined;
    const once = () => (begun ??= work());
    let next: () => unknown = once;
    for (const observation of this.observations) {
      const inner = next;
      if (observation.run !== undefined) next = () => observation.run?.(inner);
    }
    try {
      next();
    } catch (error) {
      this.tell(error);
    }
    return once();
  }

  end(conclusion: Conclusion): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    for (const observation of this.observations) {
      try {
        observation.end?.(conclusion);
      } catch (error) {
        this.tell(error);
      }
    }
  }
}
