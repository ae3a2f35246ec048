import { Injectable, Logger } from '@nestjs/common';
import type { Subscription } from 'rxjs';
import type { JobFacts, QueueEvent } from './queue-event.js';
import { QueueEvents } from './queue-events.js';

/** An error's message may be megabytes; the history keeps more of it. */
const LONGEST_ERROR = 300;
const MOST_TYPES = 20;

type Line = readonly [level: 'warn' | 'error' | 'debug', text: string];
type EventNamed<Name> = Extract<QueueEvent, { name: Name }>;

/** All wording of the log. What is not in here is not logged: it happens for every job. */
const LINES: { readonly [Name in QueueEvent['name']]?: (event: EventNamed<Name>) => Line } = {
  'job.retried': ({ job, delay, error }) => ['warn', `${name(job)} will be retried in ${delay} ms: ${brief(error)}`],
  'job.failed': ({ job, reason, error }) => ['error', `${name(job)} failed (${reason}): ${brief(error)}`],
  'job.lost': ({ job }) => [
    'warn',
    `${name(job)} was cancelled or taken over by another node: its result here is dropped`,
  ],
  'job.overrun': ({ job, timeout }) => [
    'warn',
    `${name(job)} has run longer than its timeout of ${timeout} ms: signal aborted, waiting for the handler`,
  ],
  'job.result-dropped': ({ job, error }) => [
    'warn',
    `${name(job)} succeeded, but its result cannot be stored: ${brief(error)}`,
  ],
  'job.incompatible': ({ job, error }) => [
    'warn',
    `${name(job)}, and others like it, cannot go on here: ${brief(error)}`,
  ],
  'job.filter-failed': ({ job, error }) => [
    'warn',
    `${name(job)}: an exception filter has thrown an error, and what it was called for stands: ${brief(error)}`,
  ],
  'job.rescued': ({ job, state }) =>
    state === 'failed'
      ? ['error', `${name(job)} failed (crash): its process died with it once too often (maxCrashes)`]
      : ['debug', `${name(job)} was running on a node that died: it runs again`],
  'node.registered': ({ node }) => ['debug', `Node ${node} is alive`],
  'node.lost': ({ node, running }) => [
    'error',
    `Node ${node} was found dead by another node: ${running} running jobs aborted, registering anew`,
  ],
  'node.stopped': ({ node, released }) => ['debug', `Node ${node} stopped, ${released} jobs released`],
  'node.rescued': ({ jobs, failed }) => [
    'warn',
    `${jobs} jobs of dead nodes rescued: ${jobs - failed} run again, ${failed} failed (maxCrashes)`,
  ],
  'node.blocked': ({ for: milliseconds, handlers }) => [
    'warn',
    `The event loop has stood still for ${milliseconds} ms, ${culprits(handlers)}: let long computations await now and then, or move them ` +
      'to a worker thread',
  ],
  'heartbeat.on-main-thread': ({ reason }) => [
    'warn',
    `The heartbeat has no thread of its own, because ${reason}: code that blocks the event loop for longer than lease.duration loses its jobs`,
  ],
  'heartbeat.thread-ended': ({ error, againIn }) => [
    'warn',
    `The heartbeat's thread has ended, a new one starts in ${againIn} ms; the main thread beats meanwhile: ${brief(error)}`,
  ],
  'instrument.failed': ({ error }) => [
    'warn',
    `An instrument of jobs, such as telemetry, has thrown an error, which changes nothing for the job: ${brief(error)}`,
  ],
  'lock.lost': ({ lock, fence }) => [
    'error',
    `Lock '${lock}' (fence ${fence}) was lost before it was released: its work here is told to stop, and another process may do it`,
  ],
  'operation.warning': ({ operation, warning }) => ['warn', `Operation '${operation}': ${warning}`],
  'operation.led': ({ operation, fence }) => [
    'debug',
    `Operation '${operation}' is led by this process (fence ${fence})`,
  ],
  'operation.lost': ({ operation, fence, rows }) => [
    'error',
    `Operation '${operation}' lost its lock (fence ${fence}): ${rows} rows are told to stop, and what they answer is dropped`,
  ],
  'operation.bad-rows': ({ operation, rows, first }) => [
    'error',
    `loadJobs() of operation '${operation}' answered ${rows} rows that are left out, the first of them ${brief(first)}`,
  ],
  'operation.failed': ({ operation, during, rows, error }) => [
    'error',
    `Operation '${operation}' failed during its ${during}${rows > 0 ? ` of ${rows} rows` : ''}, and is tried again: ${brief(error)}`,
  ],
  'types.unhandled': ({ types }) => [
    'warn',
    `Jobs are waiting that no living node handles, of type ${types.slice(0, MOST_TYPES).join(', ')}`,
  ],
  'services.unhandled': ({ services }) => [
    'warn',
    `Jobs are waiting of services without a living node: ${services.slice(0, MOST_TYPES).join(', ')}`,
  ],
  'schedule.skipped': ({ schedule, fireTime }) => [
    'warn',
    `Schedule '${schedule}' left out ${fireTime.toISOString()}: the job of an earlier fire time has not ended`,
  ],
  'schedule.missed': ({ schedule, fireTime }) => [
    'warn',
    `Schedule '${schedule}' has missed fire times, the last of them ${fireTime.toISOString()}: no node fired then`,
  ],
  'schedule.broken': ({ schedule, error }) => ['error', `Schedule '${schedule}' cannot fire: ${brief(error)}`],
  'schedule.gone': ({ schedule }) => [
    'warn',
    `Schedule '${schedule}' is disabled: it was declared by @JobSchedule(), and no code that runs does so any more`,
  ],
  'schedule.late': ({ schedule, since }) => [
    'error',
    `Schedule '${schedule}' has not succeeded since ${since.toISOString()}: longer than its alertAfter`,
  ],
  'schedule.recovered': ({ schedule }) => ['warn', `Schedule '${schedule}' has succeeded again`],
  'shutdown.hooks-missing': () => [
    'warn',
    'Nothing listens to SIGTERM: call app.enableShutdownHooks(), or a stop of this process looks like a crash to its jobs',
  ],
  'sqlite.busy-timeout': ({ timeout }) => [
    'warn',
    `The application's SQLite DataSource has timeout ${timeout} ms: while another process writes, that wait freezes the event loop. ` +
      'Set timeout: 0 and write through jobQueue.transaction()',
  ],
  'database.retried': ({ tries, wait, error }) => [
    'debug',
    `The database has undone a statement of ours (try ${tries}), tried again in ${Math.round(wait)} ms: ${brief(error)}`,
  ],
  'database.error': ({ during, error }) => ['error', `Database error during ${during}: ${brief(error)}`],
};

@Injectable()
export class QueueEventLogger {
  private readonly logger = new Logger('PersistentQueue');
  private subscription: Subscription | undefined;

  constructor(private readonly events: QueueEvents) {}

  start(): void {
    this.subscription ??= this.events.events$.subscribe((event) => {
      const line = LINES[event.name] as ((event: QueueEvent) => Line) | undefined;
      if (line === undefined) return;
      const [level, text] = line(event);
      this.logger[level](text);
    });
  }

  stop(): void {
    this.subscription?.unsubscribe();
    this.subscription = undefined;
  }
}

function name(job: JobFacts): string {
  return `Job ${job.id} (${job.type}${job.attempt === undefined ? '' : `, attempt ${job.attempt}`})`;
}

function culprits(handlers: readonly string[]): string {
  if (handlers.length === 0) return 'while no handler ran';
  const names = handlers.slice(0, MOST_TYPES).join(', ');
  return handlers.length === 1 ? `because of, or during, the handler of ${names}` : `while handlers ran of ${names}`;
}

function brief(error: string): string {
  return error.length > LONGEST_ERROR ? `${error.slice(0, LONGEST_ERROR)}…` : error;
}
