import { Injectable, type Provider } from '@nestjs/common';
import type { HoldReason } from '../../lib/inspection/job-explanation.js';
import { QueueInspector } from '../../lib/inspection/queue-inspector.js';
import type { JobContext } from '../../lib/job/job-context.js';
import { JobStep, MultiStepJob } from '../../lib/steps/multi-step-job.decorator.js';
import { handler, startApp, type AppFixture } from './app-fixture.js';
import type { TestSchema } from './databases.js';
import { QueueFixture } from './queue-fixture.js';
import { deferred, waitUntil } from './wait-until.js';

const HOUR = 3_600_000;

export type Reason = HoldReason['reason'];

/** Terminals that do not answer until they are mended. */
export class Terminal {
  isMended = false;

  readonly capture = ({ order }: { order: string }): string => {
    if (!this.isMended) throw new RangeError(`the card terminal does not answer (order ${order})`);
    return `receipt of ${order}`;
  };
}

/** Handlers of a shop, of which some never end by themselves. */
export class StuckShop {
  readonly terminal = new Terminal();
  private readonly holding = deferred();
  readonly providers: Provider[] = [
    handler('payment.capture', this.terminal.capture, { maxRetries: 0 }),
    handler('order.notify', (_, job) => job.log('the customer knows')),
    handler('stock.count', () => this.holding.promise, { concurrency: 1 }),
    handler('parcel.send', () => undefined, { ack: 'manual', ackTimeout: '1h' }),
    handler('report.build', () => 'the report'),
    handler('label.print', () => 'a label', { maxCrashes: 1 }),
    handler('till.close', () => this.holding.promise, { globalConcurrency: 1 }),
    handler('report.send', () => this.holding.promise, {
      concurrencyKey: { from: ({ order }: { order: string }) => order, limit: 1 },
    }),
    handler('sms.send', () => 'sent', { rateLimit: { max: 1, per: HOUR } }),
    ShipOrder,
    FulfilNow,
  ];

  /** Lets go of what holds a slot. */
  readonly release = (): void => this.holding.resolve();

  /** One job for each reason that a service with one living node has. */
  async stick(schema: TestSchema, service: string, start: () => Promise<AppFixture>): Promise<Map<Reason, string>> {
    const begun = await sleepInOldDefinition(schema, service);
    const app = await start();
    const { queue } = app;
    const add = async (type: string, options = {}) => (await queue.enqueue(type, { order: 'A-17' }, options)).id;
    await queue.runNow(begun);
    await queue.pause('report.build');
    await untilHeard(app);
    const running = await add('stock.count');
    await app.waitFor(running, 'running');
    // More than a node keeps ready beside the one that runs.
    const counts = await queue.enqueueMany(
      'stock.count',
      Array.from({ length: 20 }, () => ({ payload: {} })),
    );
    const closed = await add('till.close');
    const sent = await add('report.send');
    const texted = await add('sms.send');
    await Promise.all([app.waitFor(closed, 'running'), app.waitFor(sent, 'running'), app.waitFor(texted, 'succeeded')]);
    return new Map<Reason, string>([
      ['ended', await add('payment.capture', { key: 'pay-17', reference: 'A-17' })],
      ['running', running],
      ['not-acknowledged', await add('parcel.send')],
      ['paused', await add('report.build')],
      ['expired', await add('report.build', { deadline: new Date(Date.now() + 50) })],
      ['no-handler', await add('invoice.print')],
      ['not-due', await add('order.notify', { delay: HOUR })],
      ['incompatible-steps', begun],
      ['concurrency-full', counts.at(-1)?.id ?? ''],
      ['global-concurrency-full', await add('till.close')],
      ['concurrency-key-full', await add('report.send')],
      ['rate-limited', await add('sms.send')],
    ]);
  }
}

/** Waits until the node has heard what was told before: with the same look at the database it finds a job that has become due. */
export async function untilHeard(app: AppFixture): Promise<void> {
  const { id } = await app.queue.enqueue('order.notify', {}, { delay: 1 });
  await app.waitFor(id, 'succeeded');
}

/** Waits until the database tells the reason. */
export async function untilReason(app: AppFixture, id: string, reason: Reason): Promise<void> {
  let last: readonly HoldReason[] = [];
  const isThere = async () => {
    last = (await app.app.get(QueueInspector).explain(id)).reasons;
    return last.some((each) => each.reason === reason);
  };
  await waitUntil(isThere, { describe: () => `job ${id} to be held by ${reason}: ${JSON.stringify(last)}` });
}

/** A job with which a process has died: no other node has found that out yet. */
export async function crashWith(schema: TestSchema, service: string, type: string): Promise<string> {
  const dead = new QueueFixture(await schema.connect(), { serviceName: service });
  try {
    await dead.repository.open();
    const { id } = await dead.queue.enqueue(type, {});
    await dead.claimOne(await dead.registerNode('gone'), type);
    await dead.silence();
    return id;
  } finally {
    await dead.close();
  }
}

/** Steps with something to see on a timeline. */
@Injectable()
@MultiStepJob('order.ship', { waitTime: 20 })
class ShipOrder {
  @JobStep({ order: 1, description: 'Take it from the stock' })
  async reserve(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 60));
  }

  @JobStep({ order: 2, description: 'Charge the card' })
  charge(_: unknown, job: JobContext): string {
    if (job.attempt === 1) throw new Error('the bank is busy');
    return 'receipt';
  }

  @JobStep({ order: 3, description: 'Wait for the van' })
  async pack(_: unknown, job: JobContext): Promise<void> {
    await job.sleep('until the van comes', HOUR);
  }

  @JobStep({ order: 4, description: 'Hand it over' })
  handOver(): void {}
}

@Injectable()
@MultiStepJob('order.fulfil')
class FulfilBefore {
  @JobStep({ order: 1 })
  reserve(): void {}

  @JobStep({ order: 2 })
  async pack(_: unknown, job: JobContext): Promise<void> {
    await job.sleep('until the van comes', HOUR);
  }
}

/** Without a step that jobs have finished. */
@Injectable()
@MultiStepJob('order.fulfil')
class FulfilNow {
  @JobStep({ order: 1 })
  pack(): void {}
}

async function sleepInOldDefinition(schema: TestSchema, serviceName: string): Promise<string> {
  const old = await startApp(schema, { providers: [FulfilBefore], queue: { serviceName } });
  try {
    const { id } = await old.queue.enqueue('order.fulfil', {});
    await old.waitFor(id, 'scheduled');
    return id;
  } finally {
    await old.close();
  }
}
