import type {
  AttemptConclusion,
  AttemptFacts,
  EnqueueConclusion,
  EnqueueFacts,
  EnqueueObservation,
  JobInstrument,
  JobObservation,
} from '../instrumentation/job-instrument.js';
import type { JobTally } from './job-tally.js';

/** Where durations go, in seconds. */
export interface DurationRecorder {
  enqueued(type: string, seconds: number, hasFailed: boolean): void;
  waited(type: string, seconds: number): void;
  attempted(type: string, seconds: number, conclusion: AttemptConclusion): void;
}

/** Counts and times what is enqueued and run. */
export class JobMeter implements JobInstrument {
  constructor(
    private readonly tally: JobTally,
    private readonly recorders: readonly DurationRecorder[],
  ) {}

  enqueue({ type }: EnqueueFacts): EnqueueObservation {
    return new TimedEnqueue(type, this.tally, this.recorders);
  }

  attempt({ type, waited }: AttemptFacts): JobObservation<AttemptConclusion> {
    const tally = this.tally.of(type);
    tally.started++;
    tally.running++;
    for (const recorder of this.recorders) recorder.waited(type, Math.max(0, waited) / 1_000);
    return new TimedAttempt(type, this.tally, this.recorders);
  }
}

class TimedEnqueue implements EnqueueObservation {
  private readonly began = performance.now();

  constructor(
    private readonly type: string,
    private readonly tally: JobTally,
    private readonly recorders: readonly DurationRecorder[],
  ) {}

  end(conclusion: EnqueueConclusion): void {
    const hasFailed = 'error' in conclusion;
    // A firing that another node has made, or that waits: nothing was enqueued.
    if (!hasFailed && conclusion.jobs.length === 0) return;
    const stored = hasFailed ? 0 : conclusion.jobs.filter(({ created }) => created).length;
    this.tally.of(this.type).enqueued += stored;
    const seconds = (performance.now() - this.began) / 1_000;
    for (const recorder of this.recorders) recorder.enqueued(this.type, seconds, hasFailed);
  }
}

class TimedAttempt implements JobObservation<AttemptConclusion> {
  private readonly began = performance.now();

  constructor(
    private readonly type: string,
    private readonly tally: JobTally,
    private readonly recorders: readonly DurationRecorder[],
  ) {}

  end(conclusion: AttemptConclusion): void {
    this.tally.of(this.type).running--;
    const seconds = (performance.now() - this.began) / 1_000;
    for (const recorder of this.recorders) recorder.attempted(this.type, seconds, conclusion);
  }
}
