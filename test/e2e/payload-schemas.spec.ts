import { Injectable } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import { InvalidOptionError } from '../../lib/errors/invalid-option.error.js';
import { InvalidPayloadError } from '../../lib/errors/invalid-payload.error.js';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import { JobHandler, type JobHandlerDecoratorOptions } from '../../lib/handler/job-handler.decorator.js';
import type { StandardSchema } from '../../lib/job/standard-schema.js';
import { defineJob } from '../../lib/queue/job-definition.js';
import { JobStep, MultiStepJob, OnJobFailed } from '../../lib/steps/multi-step-job.decorator.js';
import { handler } from '../support/app-fixture.js';
import { databases } from '../support/databases.js';
import { countIn, NodesOn } from '../support/nodes-on.js';
import { waitUntil } from '../support/wait-until.js';

const sqlite = databases().filter(({ name }) => name === 'sqlite');

const ORDER = z.object({ orderId: z.number(), note: z.string().default('none') });

/** A schema of nobody's that does this. */
function schemaThat(validate: StandardSchema['~standard']['validate']): StandardSchema {
  return { '~standard': { version: 1, vendor: 'a test', validate } };
}

/** What was thrown. */
async function errorOf(promise: Promise<unknown>): Promise<InvalidPayloadError> {
  return promise.then(
    () => Promise.reject(new Error('nothing was thrown')),
    (error: InvalidPayloadError) => error,
  );
}

describe.each(databases())('a payload with a schema on $name', (database) => {
  const nodes = new NodesOn(database);

  it('is stored as it was given; its handler gets what the schema makes of it', async () => {
    const Order = defineJob('order', {
      schema: ORDER.transform(({ orderId, note }) => ({ doubled: orderId * 2, note })),
    });
    const node = await nodes.start({ providers: [handler(Order.type, (payload) => payload, Order.options)] });
    const { id } = await node.queue.enqueue(Order, { orderId: 21 });
    expect(await node.waitFor(id, 'succeeded', 'failed')).toMatchObject({
      payload: { orderId: 21 },
      result: { doubled: 42, note: 'none' },
    });
  });

  it('is refused at enqueue with a typed error, and nothing is written', async () => {
    const node = await nodes.start({ providers: [handler('order', () => undefined, { schema: ORDER })] });
    const secret = 'x'.repeat(5_000);
    const error = await errorOf(node.queue.enqueue('order', { orderId: 'seven', secret }));
    expect(error).toBeInstanceOf(InvalidPayloadError);
    expect(error).toMatchObject({ jobType: 'order', at: 'enqueue', issues: [{ path: 'orderId' }] });
    expect(error.message).toMatch(/'order'.*: 1 issue: orderId\. Nothing was written/);
    expect(JSON.stringify(error) + error.message).not.toContain('xxx');
    expect(await node.queue.counts()).toEqual([]);
  });

  it('fails for good before its handler is called when it came by plain SQL, with the issues in the history', async () => {
    let calls = 0;
    const node = await nodes.start({
      providers: [handler('order', () => void calls++, { schema: ORDER, maxRetries: 5, waitTime: 1 })],
    });
    await nodes.sql(
      node,
      `INSERT INTO pq_job (service, type, payload) VALUES ('${nodes.service}', 'order', '{"orderId":"seven"}')`,
    );
    const [job] = (await node.queue.find({ type: 'order' })).jobs;
    const failed = await node.waitFor(job?.id ?? '', 'failed');
    expect(calls).toBe(0);
    expect(failed.lastError).toMatchObject({ name: 'InvalidPayloadError', issues: [{ path: 'orderId' }] });
    const [attempt, ...others] = await node.queue.history(failed.id);
    expect(others).toEqual([]);
    expect(attempt).toMatchObject({
      outcome: 'failed',
      reason: 'error',
      error: { name: 'InvalidPayloadError', issues: [{ path: 'orderId', message: expect.stringContaining('number') }] },
    });
    expect(attempt?.startedAt).toBeInstanceOf(Date);
  });

  it('is looked at in transactions and lists too: none of a list is stored when one is refused, which is named', async () => {
    const Order = defineJob('order', { schema: ORDER });
    const node = await nodes.start();
    const jobs = [{ payload: { orderId: 1 } }, { payload: { orderId: 'two' as unknown as number } }];
    const error = await errorOf(node.queue.enqueueMany(Order, jobs));
    expect(error).toMatchObject({ index: 1, issues: [{ path: 'orderId' }] });
    expect(error.message).toContain('jobs[1]');
    await node.queue.transaction(async () => {
      await node.queue.enqueue(Order, { orderId: 1 });
      await errorOf(node.queue.enqueue(Order, { orderId: 'x' as unknown as number }));
    });
    expect(await countIn(node, 'waiting')).toBe(1);
  });

  it('of a multi-step job becomes the first context, once, and what is refused goes to @OnJobFailed()', async () => {
    const seen: unknown[] = [];
    @MultiStepJob('steps', { waitTime: 1, schema: z.object({ n: z.number().transform((n) => n + 1) }) })
    @Injectable()
    class Steps {
      @JobStep({ order: 1 })
      first(context: { n: number }): void {
        seen.push(context.n);
        context.n += 10;
        if (seen.length === 1) throw new Error('once more');
      }

      @JobStep({ order: 2 })
      second(context: { n: number }): void {
        seen.push(context.n);
      }

      @OnJobFailed()
      failed(context: unknown, _: unknown, error: { name: string }): void {
        seen.push(context, error.name);
      }
    }
    const node = await nodes.start({ providers: [Steps] });
    const { id } = await node.queue.enqueue('steps', { n: 1 });
    expect((await node.waitFor(id, 'succeeded', 'failed')).result).toEqual({ n: 12 });
    expect(seen.splice(0)).toEqual([2, 2, 12]);
    await nodes.sql(
      node,
      `INSERT INTO pq_job (service, type, payload) VALUES ('${nodes.service}', 'steps', '{"n":"one"}')`,
    );
    const [bad] = (await node.queue.find({ type: 'steps' })).jobs;
    await node.waitFor(bad?.id ?? '', 'failed');
    expect(seen).toEqual([{ n: 'one' }, 'InvalidPayloadError']);
    expect(await node.queue.history(bad?.id ?? '')).toMatchObject([
      { outcome: 'failed', error: { name: 'InvalidPayloadError', issues: [{ path: 'n' }] } },
    ]);
  });
});

describe.each(sqlite)('a schema', (database) => {
  const nodes = new NodesOn(database);
  const start = (options: JobHandlerDecoratorOptions, work: (payload: never) => unknown = (payload) => payload) =>
    nodes.start({ providers: [handler('t', work, options)] });

  it.each<[vendor: string, schema: StandardSchema]>([
    ['zod', z.object({ lines: z.array(z.object({ price: z.number() })), at: z.coerce.date() })],
    [
      'valibot',
      v.object({ lines: v.array(v.object({ price: v.number() })), at: v.pipe(v.string(), v.isoTimestamp()) }),
    ],
    ['arktype', type({ lines: type({ price: 'number' }).array(), at: 'string.date.iso' })],
    [
      'zod, asking somebody',
      z.object({ lines: z.array(z.object({ price: z.number().refine(async (price) => price > 0) })), at: z.string() }),
    ],
  ])('may be one of %s', async (_, schema) => {
    const { queue, waitFor } = await start({ schema });
    const at = '2026-01-02T03:04:05.000Z';
    const { id } = await queue.enqueue('t', { lines: [{ price: 1 }], at: new Date(at) });
    expect((await waitFor(id, 'succeeded', 'failed')).result).toEqual({ lines: [{ price: 1 }], at });
    const error = await errorOf(queue.enqueue('t', { lines: [{ price: 1 }, { price: 'dear' }], at }));
    expect(error).toMatchObject({ issues: [{ path: 'lines[1].price', message: expect.any(String) }] });
  });

  it('is asked about what JSON leaves: what it accepts at enqueue it accepts when the job runs', async () => {
    const { queue } = await start({ schema: z.object({ at: z.date() }) });
    expect(await errorOf(queue.enqueue('t', { at: new Date() }))).toMatchObject({ issues: [{ path: 'at' }] });
  });

  it('infers what is enqueued and what the handler gets', async () => {
    const Order = defineJob('order', {
      schema: z.object({ orderId: z.number(), since: z.string().transform(Number) }),
    });
    const Plain = defineJob<{ since: Date }>('plain');
    const Ark = defineJob('ark', { schema: type({ n: 'string.numeric.parse' }) });
    const Vali = defineJob('vali', { schema: v.object({ n: v.pipe(v.string(), v.transform(Number)) }) });
    @Injectable()
    class Handlers {
      @JobHandler(Order)
      order({ orderId, since }: { orderId: number; since: number }): number {
        return orderId + since;
      }

      @JobHandler(Plain)
      plain({ since }: { since: string }): string {
        return since;
      }

      @JobHandler(Ark)
      ark({ n }: { n: number }): number {
        return n;
      }

      @JobHandler(Vali)
      vali({ n }: { n: number }): number {
        return n;
      }

      @JobHandler('inline', { schema: type({ n: 'number' }) })
      inline({ n }: { n: number }): number {
        return n;
      }

      // @ts-expect-error -- what the schema makes of `since` is a number
      @JobHandler(defineJob('other', { schema: ORDER.extend({ since: z.string().transform(Number) }) }))
      other({ since }: { since: string }): string {
        return since;
      }
    }
    const { queue, waitFor } = await nodes.start({ providers: [Handlers] });
    const { id } = await queue.enqueue(Order, { orderId: 1, since: '2' });
    expect((await waitFor(id, 'succeeded', 'failed')).result).toBe(3);
    for (const { id: other } of [await queue.enqueue(Ark, { n: '7' }), await queue.enqueue(Vali, { n: '7' })])
      expect((await waitFor(other, 'succeeded', 'failed')).result).toBe(7);
    // @ts-expect-error -- as the compiler says, and the schema
    await errorOf(queue.enqueue(Order, { orderId: 1, since: 2 }));
    // @ts-expect-error -- as the compiler says, and the schema
    await errorOf(queue.enqueueAt(Order, { orderId: '1', since: '2' }, new Date()));
    // @ts-expect-error -- the schema says what the payload is
    defineJob<{ orderId: string }>('order', { schema: ORDER });
  });

  it('may come from the configuration, for a type whose handler is in another process', async () => {
    const { queue } = await nodes.start({ queue: { roles: ['enqueue'], handlers: { elsewhere: { schema: ORDER } } } });
    expect(await errorOf(queue.enqueue('elsewhere', {}))).toBeInstanceOf(InvalidPayloadError);
    expect(await queue.enqueue('elsewhere', { orderId: 1 })).toMatchObject({ created: true });
  });

  it('that throws fails the attempt as any error does, and the enqueue', async () => {
    let accepts = true;
    const { queue, waitFor } = await start({
      maxRetries: 1,
      waitTime: 1,
      schema: schemaThat((value) => {
        if (!accepts) throw new RangeError('the schema is broken');
        accepts = false;
        return { value };
      }),
    });
    const { id } = await queue.enqueue('t', 1);
    await waitFor(id, 'failed');
    expect(await queue.history(id)).toMatchObject([
      { outcome: 'retried', error: { name: 'RangeError' } },
      { outcome: 'failed', error: { name: 'RangeError' } },
    ]);
    await expect(queue.enqueue('t', 1)).rejects.toThrow('the schema is broken');
  });

  it('that never answers ends with the timeout of its handler, and leaves the slot', async () => {
    let asked = 0;
    const { queue, waitFor } = await start({
      maxRetries: 1,
      waitTime: 1,
      timeout: 50,
      concurrency: 1,
      schema: schemaThat((value) => (asked++ === 1 ? new Promise<never>(() => undefined) : { value })),
    });
    const { id } = await queue.enqueue('t', 'in the end');
    expect((await waitFor(id, 'succeeded', 'failed')).result).toBe('in the end');
    expect(await queue.history(id)).toMatchObject([
      { outcome: 'retried', reason: 'timeout' },
      { outcome: 'succeeded' },
    ]);
  });

  it('may quote what it refuses: `issues` keep that, and what is logged says only where it is', async () => {
    const email = 'not jane@example.com';
    const schema = v.object({ customer: v.object({ email: v.pipe(v.string(), v.email()) }) });
    const app = await start({ schema });
    const error = await errorOf(app.queue.enqueue('t', { customer: { email } }));
    expect(error.issues).toEqual([{ path: 'customer.email', message: expect.stringContaining(email) }]);
    expect(error.message).toMatch(/: 1 issue: customer\.email\. /);
    const told: QueueEvent[] = [];
    app.queue.events$.subscribe((event) => told.push(event));
    const payload = JSON.stringify({ customer: { email } });
    await nodes.sql(app, `INSERT INTO pq_job (service, type, payload) VALUES ('${nodes.service}', 't', '${payload}')`);
    await waitUntil(() => told.some(({ name }) => name === 'job.failed'));
    const failed = told.find((event) => event.name === 'job.failed');
    expect(failed?.error).toContain('1 issue: customer.email');
    expect(error.message + failed?.error).not.toContain(email);
  });

  it('may find thousands of things: the first of them are kept, each cut', async () => {
    const issues = Array.from({ length: 5_000 }, (_, place) => ({
      message: 'long '.repeat(1_000),
      path: ['k'.repeat(5_000), { key: place }],
    }));
    const { queue } = await start({ schema: schemaThat(() => ({ issues })) });
    const error = await errorOf(queue.enqueue('t', 1));
    expect(error.issues).toHaveLength(20);
    for (const { path, message } of error.issues) expect(path.length + message.length).toBeLessThanOrEqual(1_000);
    expect(error.message.length).toBeLessThan(1_000);
    expect(error.message).toContain('and 4997 more');
  });

  it('that refuses what a handler enqueues is an error of that handler, which may have another payload the next time', async () => {
    const Child = defineJob('child', { schema: ORDER });
    const app = await start({ waitTime: 1 }, () =>
      ++calls === 1 ? app.queue.enqueue(Child, {} as never) : app.queue.enqueue(Child, { orderId: 1 }),
    );
    let calls = 0;
    const { id } = await app.queue.enqueue('t');
    await app.waitFor(id, 'succeeded', 'failed');
    expect(await app.queue.history(id)).toMatchObject([
      { outcome: 'retried', error: { name: 'InvalidPayloadError' } },
      { outcome: 'succeeded' },
    ]);
  });

  it.each<[what: string, schema: unknown]>([
    ['a class', class Dto {}],
    ['a plain object', { orderId: 'number' }],
    ['a string', 'number'],
    ['null', null],
    ['a schema of another version', { '~standard': { version: 2, vendor: 'x', validate: () => ({ value: 1 }) } }],
    ['one without validate()', { '~standard': { version: 1, vendor: 'x' } }],
  ])('that is %s stops the application, naming the handler', async (_, schema) => {
    const starting = start({ schema } as JobHandlerDecoratorOptions);
    await expect(starting).rejects.toThrow(InvalidOptionError);
    await expect(starting).rejects.toThrow(/@JobHandler\('t'\) on Handler\.handle\.schema.*Standard Schema/);
    expect(() => defineJob('t', { schema } as never)).toThrow(/defineJob\('t'\)\.schema.*Standard Schema/);
  });
});
