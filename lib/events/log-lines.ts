import type { LogLevel } from './log-entry.js';
import type { JobFacts, QueueEvent } from './queue-event.js';

type Line = readonly [level: LogLevel, sentence: string];
type EventNamed<Name> = Extract<QueueEvent, { name: Name }>;

/** All wording of the log. What is not in here is not logged: it happens for every job, or belongs to whoever has called. */
const LINES: { readonly [Name in QueueEvent['name']]?: (event: EventNamed<Name>) => Line } = {
  'job.retried': ({ job, delay, error }) => ['warn', `${name(job)} will be retried in ${delay} ms: ${error}`],
  'job.failed': ({ job, reason, error }) => ['error', `${name(job)} failed (${reason}): ${error}`],
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
    `${name(job)} succeeded, but its result cannot be stored: ${error}`,
  ],
  'job.incompatible': ({ job, error }) => ['warn', `${name(job)}, and others like it, cannot go on here: ${error}`],
  'job.filter-failed': ({ job, error }) => [
    'warn',
    `${name(job)}: an exception filter has thrown an error, and what it was called for stands: ${error}`,
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
    `The heartbeat's thread has ended, a new one starts in ${againIn} ms; the main thread beats meanwhile: ${error}`,
  ],
  'instrument.failed': ({ error }) => [
    'warn',
    `An instrument of jobs, such as telemetry, has thrown an error, which changes nothing for the job: ${error}`,
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
    `loadJobs() of operation '${operation}' answered ${rows} rows that are left out, the first of them ${first}`,
  ],
  'operation.failed': ({ operation, during, rows, error }) => [
    'error',
    `Operation '${operation}' failed during its ${during}${rows > 0 ? ` of ${rows} rows` : ''}, and is tried again: ${error}`,
  ],
  'types.unhandled': ({ types }) => [
    'warn',
    `Jobs are waiting that no living node handles, of type ${types.join(', ')}`,
  ],
  'services.unhandled': ({ services }) => [
    'warn',
    `Jobs are waiting of services without a living node: ${services.join(', ')}`,
  ],
  'schedule.skipped': ({ schedule, fireTime }) => [
    'warn',
    `Schedule '${schedule}' left out ${fireTime.toISOString()}: the job of an earlier fire time has not ended`,
  ],
  'schedule.missed': ({ schedule, fireTime }) => [
    'warn',
    `Schedule '${schedule}' has missed fire times, the last of them ${fireTime.toISOString()}: no node fired then`,
  ],
  'schedule.broken': ({ schedule, error }) => ['error', `Schedule '${schedule}' cannot fire: ${error}`],
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
  'wake-ups.lost': ({ error }) => [
    'warn',
    `Wake-ups between processes are lost until a connection is back: jobs of other processes are found by polling, ${error}`,
  ],
  'wake-ups.restored': ({ after }) => ['warn', `Wake-ups between processes work again, after ${after} ms`],
  'sqlite.busy-timeout': ({ timeout }) => [
    'warn',
    `The application's SQLite DataSource has timeout ${timeout} ms: while another process writes, that wait freezes the event loop. ` +
      'Set timeout: 0 and write through jobQueue.transaction()',
  ],
  'database.retried': ({ tries, wait, error }) => [
    'debug',
    `The database has undone a statement of ours (try ${tries}), tried again in ${Math.round(wait)} ms: ${error}`,
  ],
  'database.error': ({ during, error }) => ['error', `Database error during ${during}: ${error}`],
};

/** `undefined`: it is not logged. */
export function lineOf(event: QueueEvent): Line | undefined {
  return (LINES[event.name] as ((event: QueueEvent) => Line) | undefined)?.(event);
}

export function isLogged(event: QueueEvent): boolean {
  return event.name in LINES;
}

function name({ id, type, attempt, traceId }: JobFacts): string {
  const more = [attempt === undefined ? '' : `, attempt ${attempt}`, traceId === undefined ? '' : `, trace ${traceId}`];
  return `Job ${id} (${type}${more.join('')})`;
}

function culprits(handlers: readonly string[]): string {
  if (handlers.length === 0) return 'while no handler ran';
  const names = handlers.join(', ');
  return handlers.length === 1 ? `because of, or during, the handler of ${names}` : `while handlers ran of ${names}`;
}
