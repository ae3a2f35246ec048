import type { ClaimHome } from '../completion/claim-home.js';
import type { Invoke, RegisteredHandler, StepDefinition } from '../handler/registered-handler.js';
import type { ClaimedJob } from '../job/job.js';
import { ActiveJob } from '../worker/active-job.js';
import type { TestClock } from './test-clock.js';

/** For a longer timeout nobody waits in a test: it must not keep the process from ending. */
const LONGEST_WAIT = 10_000;

/** A job whose handler runs in a test: on the test's clock, and with a process of its own, which may die. */
export class TestedJob extends ActiveJob {
  /** What its handler has thrown last. */
  thrown: { readonly error: unknown } | undefined;
  /** Resolves when the handler has come to its first `await`. */
  readonly entered: Promise<void>;
  /** Resolves when its process dies. */
  readonly death: Promise<void>;
  enter: () => void = () => undefined;
  private end: () => void = () => undefined;
  isDead = false;
  private endTimer: () => void = () => undefined;

  constructor(
    job: ClaimedJob,
    handler: RegisteredHandler,
    home: ClaimHome,
    private readonly clock: TestClock,
    /** How many jobs it runs inside of, counting itself. */
    readonly depth: number,
  ) {
    super(
      job,
      watched(handler, (error) => (this.thrown = { error })),
      home,
    );
    this.entered = new Promise((resolve) => (this.enter = resolve));
    this.death = new Promise((resolve) => (this.end = resolve));
  }

  override get now(): number {
    return this.clock.time;
  }

  override get isAbandoned(): boolean {
    return this.isDead || super.isAbandoned;
  }

  /** Nothing is told to the handler: a process that dies has no time for that. */
  die(): void {
    this.isDead = true;
    this.stopTimer();
    this.end();
  }

  /** By the test's clock, or by that of the machine: whichever comes first. */
  override startTimer(timeout: number, end: () => void): void {
    this.stopTimer();
    const due = this.clock.time + timeout;
    const over = () => {
      this.stopTimer();
      end();
    };
    const timer = setTimeout(over, timeout);
    if (timeout > LONGEST_WAIT) timer.unref();
    const forget = this.clock.onMove(() => {
      if (this.clock.time >= due) over();
    });
    this.endTimer = () => {
      clearTimeout(timer);
      forget();
    };
  }

  override stopTimer(): void {
    this.endTimer();
  }
}

/** The same handler, of whose errors `tell` is told. */
function watched(handler: RegisteredHandler, tell: (error: unknown) => void): RegisteredHandler {
  const watch =
    (invoke: Invoke): Invoke =>
    async (...args) => {
      try {
        return await invoke(...args);
      } catch (error) {
        tell(error);
        throw error;
      }
    };
  if (handler.plan === undefined) return { ...handler, invoke: watch(handler.invoke) };
  const step = (definition: StepDefinition) => ({ ...definition, invoke: watch(definition.invoke) });
  const { steps, onSucceeded, onFailed } = handler.plan;
  const plan = {
    ...handler.plan,
    steps: steps.map(step),
    onSucceeded: onSucceeded && step(onSucceeded),
    onFailed: onFailed && step(onFailed),
  };
  return { ...handler, plan };
}
