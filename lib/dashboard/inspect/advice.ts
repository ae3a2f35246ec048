import type { HoldReason } from '../../inspection/job-explanation.js';
import type { JobState } from '../../job/job-state.js';

/** What a person can have done with one press of a button. */
export type InspectAction = 'retry' | 'cancel' | 'run-now' | 'resume';

export interface Advice {
  readonly advice: string;
  readonly action?: InspectAction;
}

/** What to do about a reason: the sentence beside it says only what it is. */
export function adviceFor(reason: HoldReason): Advice {
  switch (reason.reason) {
    case 'ended':
      return endedAdvice(reason.state);
    case 'running':
      return { advice: 'Its attempts and its log are below. A cancelled job is told so by the signal of its handler.' };
    case 'not-acknowledged':
      return { advice: 'Whoever was told of it has to call finish(), fail() or processing(). Look there first.' };
    case 'paused':
      return { advice: 'Jobs that come in meanwhile are kept, and run in their order after it.', action: 'resume' };
    case 'no-live-node':
      return {
        advice:
          'Start a process of the service with the role "work". Those that there were are on the page of the service.',
      };
    case 'no-handler':
      return {
        advice:
          'Deploy the handler, or look whether `types` or `roles` of these processes leave it out. The job waits until then.',
      };
    case 'incompatible-steps':
      return {
        advice:
          'Deploy the definition that it began with, or one that only adds steps; or cancel it and enqueue another.',
      };
    case 'not-due':
      return { advice: 'It may also run now.', action: 'run-now' };
    case 'expired':
      return {
        advice:
          'Look why nothing has claimed it in time: the next claim ends it. A new job with a later deadline is the way to go on.',
      };
    case 'concurrency-full':
      return {
        advice:
          'Raise `concurrency` of the handler or of the module, start another node, or look whether its jobs hang.',
      };
    case 'last-chance':
      return {
        advice: 'Look at how its attempts crashed. It starts when no other job runs on a node that handles it.',
      };
    case 'next':
      return { advice: 'Wait: a node claims it with its next poll, or when those before it have begun.' };
  }
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
