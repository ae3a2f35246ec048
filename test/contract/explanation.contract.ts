import { beforeEach, describe, expect, it } from '@jest/globals';
import { JobNotFoundError } from '../../lib/errors/job-not-found.error.js';
import type { ClaimedJob } from '../../lib/job/job.js';
import { toldLimits, type JobLimits } from '../../lib/job/job-limits.js';
import { releaseOf } from '../../lib/job/settlement.js';
import { delivery, handled, retry, success, type QueueFixture } from '../support/queue-fixture.js';
import { waitUntil } from '../support/wait-until.js';
import type { ContractContext } from './contract-context.js';

/** Each reason, as it comes about. */
export function explanationContract(context: ContractContext): void {
  describe('a job is not running because', () => {
    let fixture: QueueFixture;
    beforeEach(async () => {
      fixture = await context.open();
    });
    const explain = async (id: string) => (await fixture.inspector.explain(id)).reasons;
    const enqueue = async (options = {}) => (await fixture.queue.enqueue('t', null, options)).id;
    const node = (concurrency = 100) =>
      fixture.repository.registerNode({ name: 'host:1', concurrency, types: handled('t') });

    it('it has ended', async () => {
      const id = await enqueue();
      await fixture.queue.cancel(id);
      expect(await fixture.inspector.explain(id)).toEqual({
        id,
        type: 't',
        state: 'cancelled',
        reasons: [{ reason: 'ended', state: 'cancelled' }],
        sentences: ['It has ended: cancelled.'],
      });
    });

    it('it is', async () => {
      const id = await enqueue();
      const one = await node();
      await fixture.claimOne(one, 't');
      expect(await explain(id)).toEqual([{ reason: 'running', node: `host:1#${one}` }]);
    });

    it('the node that has it is gone: silent, stopped, or found dead', async () => {
      const id = await enqueue();
      const one = await node();
      const gone = (state: string) => ({ reason: 'node-gone', node: `host:1#${one}`, state });
      await fixture.claimOne(one, 't');
      await fixture.silence();
      expect(await explain(id)).toEqual([gone('silent'), { reason: 'no-live-node' }]);
      const other = await node();
      expect(await explain(id)).toEqual([gone('silent')]);
      await fixture.repository.retireNode(one);
      expect(await explain(id)).toEqual([gone('stopped')]);
      await fixture.repository.rescue(10);
      expect(await explain(id)).toEqual([{ reason: 'next', ahead: 0 }]);
      await fixture.claimOne(other, 't');
      expect(await explain(id)).toEqual([{ reason: 'running', node: `host:1#${other}` }]);
    });

    it('nobody has acknowledged it', async () => {
      const id = await enqueue();
      const manual = { ackTimeout: 60_000, retention: { succeeded: 1_000, failed: 1_000 } };
      const claimed = await fixture.claimOne(await node(), 't', { manual });
      await fixture.repository.settle([delivery(claimed, 60_000)], 'n');
      const until = (await fixture.queue.get(id))?.dueAt;
      expect(await explain(id)).toEqual([{ reason: 'not-acknowledged', until }]);
    });

    it('its type is paused', async () => {
      const id = await enqueue();
      await node();
      await fixture.queue.pause('t');
      expect(await explain(id)).toEqual([{ reason: 'paused' }]);
    });

    it('no node is alive, be it that the only one is silent', async () => {
      const id = await enqueue();
      expect(await explain(id)).toEqual([{ reason: 'no-live-node' }]);
      await node();
      await fixture.silence();
      expect(await explain(id)).toEqual([{ reason: 'no-live-node' }]);
    });

    it('no living node handles its type', async () => {
      const id = await enqueue();
      const other = await fixture.registerNode('other', 'u');
      expect(await explain(id)).toEqual([{ reason: 'no-handler', nodes: [`other#${other}`] }]);
    });

    it('no definition that has tried it can go on with its steps, until one does', async () => {
      const id = await enqueue();
      const one = await node();
      const error = { name: 'IncompatibleStepsError', message: 'The steps have changed.' };
      const claimed = await fixture.claimOne(one, 't');
      await fixture.steps.report(claimed, error);
      await fixture.repository.settle([{ ...releaseOf(claimed), state: 'scheduled', delay: 60_000 }], 'n');
      const until = (await fixture.queue.get(id))?.dueAt;
      expect(await explain(id)).toEqual([{ reason: 'incompatible-steps', error: error.message, until }]);
      await fixture.queue.runNow(id);
      expect(await explain(id)).toMatchObject([{ reason: 'incompatible-steps' }]);
      const again = await fixture.claimOne(one, 't');
      const slept = success(again);
      const attempt = slept.attempt && ({ ...slept.attempt, outcome: 'continued' } as const);
      await fixture.repository.settle([{ ...slept, attempt, state: 'scheduled', delay: 60_000 }], 'n');
      expect(await explain(id)).toMatchObject([{ reason: 'not-due' }]);
    });

    it('it waits for its time: the one that it was given, or that of its retry', async () => {
      const later = await enqueue({ delay: '1h' });
      const id = await enqueue();
      const claimed = await fixture.claimOne(await node(), 't');
      await fixture.repository.settle([retry(claimed, 60_000)], 'n');
      for (const waiting of [later, id]) {
        const until = (await fixture.queue.get(waiting))?.dueAt;
        expect(await explain(waiting)).toEqual([{ reason: 'not-due', until }]);
      }
    });

    it('its own deadline has passed, or that of its type', async () => {
      const [own, ofType] = [await enqueue({ deadline: new Date(1_000) }), await enqueue()];
      await node();
      expect(await explain(own)).toEqual([{ reason: 'expired' }]);
      expect(await explain(ofType)).toEqual([{ reason: 'next', ahead: 1 }]);
      const types = [{ type: 't', concurrency: 1, maxCrashes: 3, deadline: -1 }];
      await fixture.repository.registerNode({ name: 'strict', concurrency: 1, types });
      expect(await explain(ofType)).toEqual([{ reason: 'expired' }]);
    });

    it('every node that handles it is full', async () => {
      for (let n = 0; n < 3; n++) await enqueue();
      const one = await node(2);
      await fixture.claim(one, 't', { limit: 2 });
      const id = await enqueue();
      const full = { node: `host:1#${one}`, running: 2, limit: 2 };
      expect(await explain(id)).toEqual([{ reason: 'concurrency-full', nodes: [full] }]);
      const types = [{ type: 't', concurrency: 1, maxCrashes: 3, deadline: undefined }];
      const other = await fixture.repository.registerNode({ name: 'host:2', concurrency: 100, types });
      expect(await explain(id)).toEqual([{ reason: 'next', ahead: 1 }]);
      await fixture.claim(other, 't', { limit: 1 });
      const alsoFull = { node: `host:2#${other}`, running: 1, limit: 1 };
      expect(await explain(id)).toEqual([{ reason: 'concurrency-full', nodes: [alsoFull, full] }]);
    });

    describe('a limit of the cluster is reached:', () => {
      const key = { from: ({ tenant }: { tenant?: string }) => tenant, limit: 2 };
      const NONE = { concurrency: undefined, key: undefined, rate: undefined };
      const nodeWith = (limits: JobLimits | undefined) =>
        fixture.repository.registerNode({
          name: 'host:1',
          concurrency: 100,
          types: [
            { type: 't', concurrency: 100, maxCrashes: 3, deadline: undefined, limits: limits && toldLimits(limits) },
          ],
        });
      const add = async (tenant?: string, options = {}) =>
        (await fixture.queue.enqueue('t', tenant === undefined ? {} : { tenant }, options)).id;

      it('as many of its type run as may, until one of them has ended', async () => {
        const limits = { ...NONE, concurrency: 2 };
        const [first, , third] = [await enqueue(), await enqueue(), await enqueue()];
        const one = await nodeWith(limits);
        expect(await explain(third)).toEqual([{ reason: 'next', ahead: 2, key: undefined }]);
        const claimed = await fixture.claim(one, 't', { limits });
        const full = { reason: 'global-concurrency-full', running: 2, limit: 2 };
        expect(await explain(third)).toEqual([full]);
        expect(await explain(first)).toEqual([{ reason: 'running', node: `host:1#${one}` }]);
        await fixture.repository.settle([success(claimed[0] as ClaimedJob)], 'n');
        expect(await explain(third)).toEqual([{ reason: 'next', ahead: 0, key: undefined }]);
      });

      it('as many with its key run as may; other keys go on', async () => {
        const limits = { ...NONE, key };
        fixture = await context.open({ handlers: { t: { concurrencyKey: key } } });
        const one = await nodeWith(limits);
        for (const tenant of ['a', 'a', undefined, undefined]) await add(tenant);
        expect(await fixture.claim(one, 't', { limits })).toHaveLength(4);
        const [third, keyless, other, behind] = [await add('a'), await add(), await add('b'), await add('b')];
        const full = { reason: 'concurrency-key-full', running: 2, limit: 2 };
        expect(await explain(third)).toEqual([{ ...full, key: 'a' }]);
        expect(await explain(keyless)).toEqual([{ ...full, key: undefined }]);
        expect(await explain(other)).toEqual([{ reason: 'next', ahead: 0, key: 'b' }]);
        expect(await explain(behind)).toEqual([{ reason: 'next', ahead: 1, key: 'b' }]);
        const keys = await Promise.all(
          [third, keyless].map(async (id) => (await fixture.queue.get(id))?.concurrencyKey),
        );
        expect(keys).toEqual(['a', undefined]);
      });

      it('or nobody knows its key yet', async () => {
        const [first, second] = [await add('a'), await add('a')];
        const one = await nodeWith({ ...NONE, key });
        expect(await explain(first)).toEqual([{ reason: 'key-not-known', ahead: 0 }]);
        expect(await explain(second)).toEqual([{ reason: 'key-not-known', ahead: 1 }]);
        await untilFiled(one, { ...NONE, key });
        expect(await explain(second)).toEqual([{ reason: 'running', node: `host:1#${one}` }]);
      });

      it('as many have begun as may, until the first of them is long enough ago', async () => {
        const limits = { ...NONE, rate: { max: 2, per: 60_000 } };
        for (let n = 0; n < 2; n++) await enqueue();
        const one = await nodeWith(limits);
        const claimed = await fixture.claim(one, 't', { limits });
        await fixture.repository.settle(
          claimed.map((job) => success(job)),
          'n',
        );
        const id = await enqueue();
        const [reason] = await explain(id);
        expect(reason).toEqual({ reason: 'rate-limited', max: 2, per: 60_000, until: expect.any(Date) });
        // The slot is taken in the transaction of the claim, after the job.
        const after = Number((reason as { until?: Date }).until) - Number(claimed[0]?.now) - 60_000;
        expect(after).toBeGreaterThanOrEqual(0);
        expect(after).toBeLessThan(5_000);
      });

      it('not for a handler with a larger one, or with none', async () => {
        const limits = { ...NONE, concurrency: 1 };
        const one = await nodeWith(limits);
        const [, id] = [await enqueue(), await enqueue()];
        await fixture.claim(one, 't', { limits });
        expect(await explain(id)).toEqual([{ reason: 'global-concurrency-full', running: 1, limit: 1 }]);
        const other = await nodeWith({ ...NONE, concurrency: 2 });
        expect(await explain(id)).toEqual([{ reason: 'next', ahead: 0, key: undefined }]);
        await fixture.repository.retireNode(other);
        await nodeWith(undefined);
        expect(await explain(id)).toEqual([{ reason: 'next', ahead: 0, key: undefined }]);
      });

      /** A claim files what it finds without a key, and another one takes it. */
      async function untilFiled(claimer: string, limits: JobLimits): Promise<void> {
        let claimed = 0;
        await waitUntil(async () => {
          claimed += (await fixture.claim(claimer, 't', { limits })).length;
          return claimed === 2;
        });
      }
    });

    it('it is on its last chance, also while it waits in its process', async () => {
      const id = await enqueue();
      for (let crash = 0; crash < 2; crash++) {
        const crashed = await fixture.registerNode('crashed');
        const claimed = await fixture.claimOne(crashed, 't', { maxCrashes: 2 });
        await fixture.repository.recordStarts([{ ...claimed, ago: 0 }]);
        await fixture.repository.retireNode(crashed);
        await fixture.repository.rescue(10);
      }
      const types = [{ type: 't', concurrency: 1, maxCrashes: 2, deadline: undefined }];
      const one = await fixture.repository.registerNode({ name: 'host:1', concurrency: 1, types });
      expect(await explain(id)).toEqual([{ reason: 'last-chance', crashes: 1 }]);
      const claimed = await fixture.claimOne(one, 't', { maxCrashes: 2 });
      const running = { reason: 'running', node: `host:1#${one}` };
      expect(await explain(id)).toEqual([running, { reason: 'last-chance', crashes: 1 }]);
      await fixture.repository.recordStarts([{ ...claimed, ago: 0 }]);
      expect(await explain(id)).toEqual([running]);
    });

    it('others of its type come before it', async () => {
      const ids = [await enqueue(), await enqueue({ priority: 3 }), await enqueue(), await enqueue({ delay: '1h' })];
      await fixture.queue.enqueue('u', null, { priority: 9 });
      await node();
      for (const [index, ahead] of [1, 0, 2].entries())
        expect(await explain(ids[index] ?? '')).toEqual([{ reason: 'next', ahead }]);
    });

    it('others of its type come before it, while it is due and no node has made it ready', async () => {
      await node();
      const [first, second, third] = [await enqueue(), await enqueue({ delay: 1 }), await enqueue({ delay: 1 })];
      await waitUntil(async () => (await explain(third))[0]?.reason === 'next');
      for (const [ahead, id] of [first, second, third].entries())
        expect(await explain(id)).toEqual([{ reason: 'next', ahead }]);
      await enqueue({ priority: 1 });
      await fixture.queue.enqueue('u');
      expect(await explain(third)).toEqual([{ reason: 'next', ahead: 3 }]);
    });

    it('of several reasons: the strongest comes first', async () => {
      const id = await enqueue({ delay: '1h' });
      await fixture.queue.pause('t');
      const { reasons, sentences } = await fixture.inspector.explain(id);
      expect(reasons.map(({ reason }) => reason)).toEqual(['paused', 'no-live-node', 'not-due']);
      expect(sentences).toHaveLength(3);
      expect(sentences[0]).toBe("Its type 't' is paused.");
    });

    it('there is none', async () => {
      await expect(fixture.inspector.explain('999999999')).rejects.toThrow(JobNotFoundError);
      await expect((await context.open()).inspector.explain(await enqueue())).rejects.toThrow(JobNotFoundError);
      await expect(fixture.inspector.explain('no id')).rejects.toThrow(JobNotFoundError);
    });
  });
}
