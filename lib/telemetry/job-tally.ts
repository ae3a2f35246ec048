import type { QueueEvent } from '../events/queue-event.js';

/** What this process has counted of one type since its start. */
export class TypeTally {
  enqueued = 0;
  started = 0;
  running = 0;
  succeeded = 0;
  retried = 0;
  rescued = 0;
  lost = 0;
  /** By reason. One that nothing has happened to yet is there with 0: of what begins at 1 no rate is seen. */
  readonly failed = new Map<string, number>([['error', 0]]);

  fail(reason: string): void {
    this.failed.set(reason, (this.failed.get(reason) ?? 0) + 1);
  }
}

/** Counts what happens to jobs in this process: plain numbers, because one is added for each job, and they are read every few seconds. */
export class JobTally {
  databaseErrors = 0;
  private readonly types = new Map<string, TypeTally>();

  of(type: string): TypeTally {
    let tally = this.types.get(type);
    if (tally === undefined) this.types.set(type, (tally = new TypeTally()));
    return tally;
  }

  entries(): Iterable<[type: string, tally: TypeTally]> {
    return this.types;
  }

  hear(event: QueueEvent): void {
    switch (event.name) {
      case 'job.succeeded':
        this.of(event.job.type).succeeded++;
        break;
      case 'job.retried':
        this.of(event.job.type).retried++;
        break;
      case 'job.failed':
        this.of(event.job.type).fail(event.reason);
        break;
      case 'job.lost':
        this.of(event.job.type).lost++;
        break;
      case 'job.rescued':
        this.of(event.job.type).rescued++;
        // Nobody else tells of it: its last process is dead.
        if (event.state === 'failed') this.of(event.job.type).fail('crash');
        break;
      case 'database.error':
        this.databaseErrors++;
        break;
      default:
    }
  }
}
