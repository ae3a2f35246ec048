import { Job } from 'sidequest';

/** Sidequest imports this file by its path to run a job: in this process, so that the handler can be handed over. */
export class BenchJob extends Job {
  static handle = async () => undefined;

  run(payload) {
    return BenchJob.handle(payload);
  }
}
