import type { Job } from '../../job/job.js';
import type { JobSteps } from '../../job/step.js';
import type { PayloadView } from '../payload-view.js';

/** What of a job leaves the server: all but what it carries, which the options of the dashboard decide on. */
export class JobView {
  constructor(private readonly payloads: PayloadView) {}

  job(job: Job): object {
    const { id, type, payload, result, progress } = job;
    return {
      ...job,
      payload: this.payloads.show(payload, { id, type, field: 'payload' }),
      result: this.payloads.show(result, { id, type, field: 'result' }),
      progress: this.payloads.show(progress, { id, type, field: 'progress' }),
    };
  }

  steps({ id, type }: Job, { context, steps, ...counts }: JobSteps): object {
    return {
      ...counts,
      context: this.payloads.show(context, { id, type, field: 'context' }),
      steps: steps.map((step) => ({
        ...step,
        result: this.payloads.show(step.result, { id, type, field: 'step' }),
      })),
    };
  }
}
