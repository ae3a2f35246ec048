import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Logger, type LoggerService } from '@nestjs/common';
import type { LogEntry } from '../../lib/events/log-entry.js';
import type { JobContext } from '../../lib/job/job-context.js';
import { handler, type AppFixture } from '../support/app-fixture.js';
import { databases } from '../support/databases.js';
import { NodesOn } from '../support/nodes-on.js';
import { waitUntil } from '../support/wait-until.js';

const SECRET = 'card-4111-1111';
const payload = { card: SECRET };

/** Everything that a logger could print of what it was given. */
class Printed implements LoggerService {
  readonly lines: { event: unknown; text: string }[] = [];
  readonly error = this.print.bind(this);
  readonly warn = this.print.bind(this);
  readonly log = this.print.bind(this);
  readonly debug = this.print.bind(this);
  readonly verbose = this.print.bind(this);

  private print(message: LogEntry, ...more: unknown[]): void {
    const own = Object.getOwnPropertyDescriptors(message);
    const text = [String(message), JSON.stringify(message), inspect(own, { depth: 9 }), inspect(more)].join('\n');
    this.lines.push({ event: Reflect.get(message, 'event') as unknown, text });
  }
}

/** Each is handed the secret, and does with it what handlers should not, or may. */
function misdeeds(app: () => AppFixture): Record<string, (payload: never, job: JobContext) => unknown> {
  const plain = () => Promise.reject(new Error('declined', { cause: new Error(SECRET) }));
  return {
    throws: plain,
    'throws a driver’s error': () => app().dataSource.query('SELECT nothing FROM nowhere', [SECRET]),
    'returns a Map': () => ({ card: SECRET, more: new Map([[SECRET, 1]]) }),
    'tells too much': (_, job) => job.progress({ cards: SECRET.repeat(1_000) }),
    'tells, logs, throws': (_, job) => {
      job.progress(payload);
      job.log(SECRET);
      return plain();
    },
    'has a step that returns a Map': (_, job) => job.step('s', () => ({ card: SECRET, more: new Map([[SECRET, 1]]) })),
    'has a step that throws': (_, job) => job.step('s', plain),
    'enqueues a Map': () => app().queue.enqueue('throws', { card: SECRET, more: new Map([[SECRET, 1]]) }),
    'enqueues a list of secrets': () => app().queue.enqueueMany('throws', [SECRET] as never),
    hangs: (_, job) =>
      new Promise((_resolve, reject) =>
        job.signal.addEventListener('abort', () => reject(new Error('aborted', { cause: SECRET }))),
      ),
  };
}

describe.each(databases())('the log on $name', (database) => {
  const nodes = new NodesOn(database);

  afterEach(() => Logger.overrideLogger(false));

  it('has nothing of payloads, results, progress, steps, causes and parameters in any line at any level', async () => {
    const printed = new Printed();
    const all = Object.entries(misdeeds(() => app));
    const options = { maxRetries: 1, waitTime: 1, timeout: 50 };
    const waits = (_: never, job: JobContext) => waitUntil(() => job.signal.aborted);
    const providers = all.map(([type, work]) => handler(type, work, options));
    const app = await nodes.start({
      providers: [...providers, handler('cancelled', waits)],
      queue: { logs: { burst: 1_000 } },
    });
    Logger.overrideLogger(printed);
    const jobs = await Promise.all(all.map(async ([type]) => app.queue.enqueue(type, payload)));
    const { id } = await app.queue.enqueue('cancelled', payload);
    await app.waitFor(id, 'running');
    await app.queue.cancel(id);
    for (const job of jobs) await app.waitFor(job.id, 'failed', 'succeeded');
    const told = () => new Set(printed.lines.map(({ event }) => event));
    const expected = ['job.retried', 'job.failed', 'job.overrun', 'job.result-dropped', 'job.lost'];
    await waitUntil(() => expected.every((event) => told().has(event)), { describe: () => [...told()].join(', ') });
    expect(printed.lines.filter(({ text }) => text.includes(SECRET)).map(({ text }) => text)).toEqual([]);
  });
});
