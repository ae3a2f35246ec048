import { Injectable, Logger } from '@nestjs/common';
import type { Subscription } from 'rxjs';
import type { JobFacts, QueueEvent } from './queue-event.js';
import { QueueEvents } from './queue-events.js';

/** An error's message may be megabytes; the history keeps more of it. */
const LONGEST_ERROR = 300;

type Line = readonly [level: 'log' | 'warn' | 'error' | 'debug', text: string];

/** All wording of the log, in one place. */
@Injectable()
export class QueueEventLogger {
  private readonly logger = new Logger('PersistentQueue');
  private subscription: Subscription | undefined;

  constructor(private readonly events: QueueEvents) {}

  start(): void {
    this.subscription ??= this.events.events$.subscribe((event) => {
      const [level, text] = lineFor(event);
      this.logger[level](text);
    });
  }

  stop(): void {
    this.subscription?.unsubscribe();
    this.subscription = undefined;
  }
}

function lineFor(event: QueueEvent): Line {
  return event.name.startsWith('job.') ? jobLine(event as JobEvent) : nodeLine(event as Exclude<QueueEvent, JobEvent>);
}

type JobEvent = Extract<QueueEvent, { job: JobFacts }>;

function jobLine(event: JobEvent): Line {
  const job = describe(event.job);
  switch (event.name) {
    case 'job.retried':
      return ['warn', `${job} will be retried in ${event.delay} ms: ${brief(event.error)}`];
    case 'job.failed':
      return ['error', `${job} failed (${event.reason}): ${brief(event.error)}`];
    case 'job.lost':
      return ['warn', `${job} was taken over by another node: its result here is dropped`];
    case 'job.overrun':
      return [
        'warn',
        `${job} has run longer than its timeout of ${event.timeout} ms: signal aborted, waiting for the handler`,
      ];
    case 'job.result-dropped':
      return ['warn', `${job} succeeded, but its result cannot be stored: ${brief(event.error)}`];
    case 'job.rescued':
      return [
        'warn',
        `${job} was running on a node that died: ${event.state === 'failed' ? 'failed (maxCrashes)' : 'it runs again'}`,
      ];
  }
}

function nodeLine(event: Exclude<QueueEvent, JobEvent>): Line {
  switch (event.name) {
    case 'node.registered':
      return ['debug', `Node ${event.node} is alive`];
    case 'node.lost':
      return [
        'error',
        `Node ${event.node} was found dead by another node: ${event.running} running jobs aborted, registering anew`,
      ];
    case 'node.stopped':
      return ['debug', `Node ${event.node} stopped, ${event.released} jobs released`];
    case 'node.rescued':
      return [
        'warn',
        `${event.jobs} jobs of dead nodes rescued: ${event.jobs - event.failed} run again, ${event.failed} failed (maxCrashes)`,
      ];
    case 'types.unhandled':
      return ['warn', `Jobs are waiting that no living node handles, of type ${event.types.slice(0, 20).join(', ')}`];
    case 'shutdown.hooks-missing':
      return [
        'warn',
        'Nothing listens to SIGTERM: call app.enableShutdownHooks(), or a stop of this process looks like a crash to its jobs',
      ];
    case 'sqlite.busy-timeout':
      return [
        'warn',
        `The application's SQLite DataSource has timeout ${event.timeout} ms: while another process writes, that wait freezes the event loop. ` +
          'Set timeout: 0 and write through jobQueue.transaction()',
      ];
    case 'database.error':
      return ['error', `Database error during ${event.during}: ${brief(event.error)}`];
  }
}

function describe(job: JobFacts): string {
  return `Job ${job.id} (${job.type}${job.attempt === undefined ? '' : `, attempt ${job.attempt}`})`;
}

function brief(error: string): string {
  return error.length > LONGEST_ERROR ? `${error.slice(0, LONGEST_ERROR)}…` : error;
}
