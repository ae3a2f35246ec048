import type { HoldReason } from '../../inspection/job-explanation.js';
import type { JobState } from '../../job/job-state.js';

/** What a person can have done with one press of a button. */
export type InspectAction = 'retry' | 'cancel' | 'run-now' | 'resume';

export interface Advice {
  readonly advice: string;
  readonly action?: InspectAction;
}

/** The sentence beside it says only what the reason is. */
const ADVICE: Readonly<Record<Exclude<HoldReason['reason'], 'ended'>, Advice>> = {
  running: {
    advice:
      'Its log is below, and the attempts that have ended. When it is cancelled, the signal of its handler is aborted.',
  },
  'node-gone': {
    advice:
      'Look why its process has ended, or hangs. If the job had begun, that is a crash of it. Where no node is alive, start one to take it over.',
  },
  'not-acknowledged': {
    advice: 'Whoever was told of it has to call finish(), fail() or processing(): look there first.',
  },
  paused: { advice: 'What comes in meanwhile is kept, and runs in its order once it is resumed.', action: 'resume' },
  'no-live-node': {
    advice:
      "Start a process of the service with the role 'work'. The page of the whole service shows those that there were.",
  },
  'no-handler': {
    advice:
      'Deploy its handler, or look whether `types` or `roles` of these processes leave it out. It waits until then.',
  },
  'incompatible-steps': {
    advice: 'Deploy a definition with the steps that it has finished; or cancel it, and enqueue another one.',
  },
  'not-due': { advice: 'Wait, or let it run now.', action: 'run-now' },
  expired: { advice: 'Look why nothing has claimed it in time. To do its work nevertheless, enqueue another one.' },
  'concurrency-full': {
    advice:
      'Look whether the jobs that run hang; raise `concurrency` of the handler or of the module, or start another node.',
  },
  'global-concurrency-full': {
    advice:
      'Wait: it begins when one of those has ended. If none ends, look whether they hang, or whether their process is gone: then they are ' +
      'given up with its lease. To run more, raise `globalConcurrency` of the handler.',
  },
  'concurrency-key-full': {
    advice:
      'Wait: it begins when one of those has ended; other keys go on meanwhile. If none ends, look whether they hang. To run more of a ' +
      'key, raise `limit` of the handler’s `concurrencyKey`.',
  },
  'key-not-known': {
    advice:
      'Wait. If it stays so, look at the beats of the nodes. Who enqueues with the definition of its type stores it with its key.',
  },
  'rate-limited': {
    advice: 'Wait: those that came before it begin first. For more, change `rateLimit` of the handler.',
  },
  'last-chance': {
    advice:
      'Look how its attempts have crashed. It starts when no other job runs on its node, so that it takes none with it.',
  },
  next: {
    advice: 'Wait: a node claims it with one of its next looks. If it stays so, look at the beats of the nodes.',
  },
};

/** What to do about a reason. */
export function adviceFor(reason: HoldReason): Advice {
  return reason.reason === 'ended' ? endedAdvice(reason.state) : ADVICE[reason.reason];
}

function endedAdvice(state: JobState): Advice {
  if (state === 'succeeded') return { advice: 'There is nothing to do.' };
  return { advice: 'Read the error of its last attempt below. When the cause is mended, retry it.', action: 'retry' };
}

/** What `JobQueue` lets be done to a job in this state. */
export function actionsIn(state: JobState): InspectAction[] {
  switch (state) {
    case 'scheduled':
      return ['run-now', 'cancel'];
    case 'waiting':
    case 'running':
      return ['cancel'];
    case 'failed':
    case 'cancelled':
      return ['retry'];
    case 'succeeded':
      return [];
  }
}
