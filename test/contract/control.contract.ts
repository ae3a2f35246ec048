import { describe, expect, it } from '@jest/globals';
import { JobNotFoundError } from '../../lib/errors/job-not-found.error.js';
import { JobStateError } from '../../lib/errors/job-state.error.js';
import { KeyTakenError } from '../../lib/errors/key-taken.error.js';
import type { ClaimedJob } from '../../lib/job/job.js';
import type { QueueFixture } from '../support/queue-fixture.js';
import { retry, success } from '../support/queue-fixture.js';
import type { ContractContext } from './contract-context.js';

const NODE = 'host:1#1';

const many = (count: number) => Array.from({ length: count }, (_, n) => ({ payload: n }));

export function controlContract(context: ContractContext): void {
  cancelContract(context);
  retryContract(context);
  runNowContract(context);
  keyContract(context);
}

function cancelContract(context: ContractContext): void {
  describe('cancel', () => {
    it('ends a job that waits, or waits for its time, and it is never claimed', async () => {
      const { queue, repository, claim, registerNode } = await open(context);
      const now = await queue.enqueue('t', 1);
      const later = await queue.enqueue('t', 2, { delay: '1h' });
      for (const { id } of [now, later]) {
        await queue.cancel(id);
        expect(await queue.get(id)).toMatchObject({ state: 'cancelled', fence: 1, finishedAt: expect.any(Date) });
        expect(await queue.history(id)).toEqual([]);
        await expect(queue.cancel(id)).rejects.toThrow(JobStateError);
      }
      expect(await repository.promote(10)).toBe(0);
      expect(await claim(await registerNode(), 't')).toEqual([]);
    });

    it('leaves a newer claim of the same job and node alone', async () => {
      const { queue, repository, claimOne, registerNode } = await open(context);
      const { id } = await queue.enqueue('t', 1);
      const node = await registerNode('busy');
      const cancelled = await claimOne(node, 't');
      await queue.cancel(id);
      await queue.retry(id);
      const again = await claimOne(node, 't');
      const { lost } = await repository.survey({ types: [], sweep: false, held: [cancelled, again] });
      expect(lost).toEqual([{ id, fence: cancelled.fence }]);
    });

    it('takes a running job away: its attempt is in the history, and what comes late is dropped', async () => {
      const { queue, repository, claimOne, registerNode } = await open(context);
      const { id } = await queue.enqueue('t', 1);
      const node = await registerNode('busy');
      const claimed = await claimOne(node, 't');
      await repository.recordStarts([{ ...claimed, ago: 500 }]);
      await queue.cancel(id);
      const cancelled = { state: 'cancelled', fence: claimed.fence + 1, result: undefined, retries: 0 };
      expect(await queue.get(id)).toMatchObject(cancelled);
      expect((await repository.survey({ types: [], sweep: false, held: [claimed] })).lost).toEqual([
        { id, fence: claimed.fence },
      ]);
      expect(await repository.settle([success(claimed, { result: '"late"' })], NODE)).toEqual([id]);
      expect(await repository.settle([retry(claimed, 0)], NODE)).toEqual([id]);
      expect(await queue.get(id)).toMatchObject(cancelled);
      const [attempt, ...others] = await queue.history(id);
      expect(others).toEqual([]);
      expect(attempt).toMatchObject({ attempt: 1, fence: claimed.fence, outcome: 'failed', reason: 'cancelled' });
      expect(attempt?.node).toMatch(/^busy#\d+$/);
      expect(Number(attempt?.endedAt) - Number(attempt?.startedAt)).toBeGreaterThanOrEqual(490);
    });

    it('of what has ended, is unknown or belongs to another service is a typed error', async () => {
      const fixture = await open(context);
      const { queue } = fixture;
      const { id } = await queue.enqueue('t', 1);
      await settle(fixture, 't', (job) => success(job));
      await expect(queue.cancel(id)).rejects.toThrow(JobStateError);
      await expect(queue.cancel(id)).rejects.toThrow(
        /cannot be cancelled.*'succeeded'.*scheduled or waiting or running/,
      );
      await expect(queue.cancel('999999999')).rejects.toThrow(JobNotFoundError);
      await expect((await open(context)).queue.cancel(id)).rejects.toThrow(JobNotFoundError);
    });
  });
}

function retryContract(context: ContractContext): void {
  describe('retry', () => {
    it('grants all retries again, and keeps the history and the fence', async () => {
      const fixture = await open(context);
      const { queue } = fixture;
      const { id } = await queue.enqueue('t', 1);
      await settle(fixture, 't', (job) => retry(job, 0));
      await settle(fixture, 't', failure);
      expect(await queue.get(id)).toMatchObject({ state: 'failed', retries: 2, fence: 2 });
      await queue.retry(id);
      expect(await queue.get(id)).toMatchObject({ state: 'waiting', retries: 0, fence: 2, finishedAt: undefined });
      await settle(fixture, 't', (job) => success(job, { result: '"at last"' }));
      expect(await queue.get(id)).toMatchObject({ state: 'succeeded', result: 'at last', fence: 3 });
      expect((await queue.history(id)).map(({ fence, outcome }) => [fence, outcome])).toEqual([
        [1, 'retried'],
        [2, 'failed'],
        [3, 'succeeded'],
      ]);
    });

    it('of a running, succeeded or unknown job is a typed error, and changes nothing', async () => {
      const fixture = await open(context);
      const { queue } = fixture;
      const { id } = await queue.enqueue('t', 1);
      const claimed = await fixture.claimOne(await fixture.registerNode(), 't');
      await expect(queue.retry(id)).rejects.toThrow(JobStateError);
      expect(await queue.get(id)).toMatchObject({ state: 'running', fence: claimed.fence });
      await fixture.repository.settle([success(claimed)], NODE);
      await expect(queue.retry(id)).rejects.toThrow(/cannot be retried.*'succeeded'.*failed or cancelled/);
      await expect(queue.retry('999999999')).rejects.toThrow(JobNotFoundError);
    });

    context.itWithSql('by filter takes 1,200 failed jobs in batches, and tells how far it is', async () => {
      const { queue, sql, service } = await open(context);
      await queue.enqueueMany('t', many(1_200));
      await queue.enqueueMany('other', many(3));
      await sql("UPDATE pq_job SET state = 'failed', retries = 3, finished_at = 1 WHERE service = ?", [service]);
      const cancelled = await queue.enqueue('t', 'cancelled');
      await queue.cancel(cancelled.id);
      const told: number[] = [];
      queue.events$.subscribe((event) => {
        if (event.name === 'retry.progress') told.push(event.retried);
      });
      expect(await queue.retry({ type: 't' })).toBe(1_200);
      expect(told).toEqual([500, 1_000, 1_200]);
      expect(await queue.counts()).toEqual([
        { type: 'other', state: 'failed', count: 3 },
        { type: 't', state: 'cancelled', count: 1 },
        { type: 't', state: 'waiting', count: 1_200 },
      ]);
      expect(await queue.retry({ type: 't' })).toBe(0);
      expect(await queue.retry({ type: 't', state: ['cancelled', 'failed', 'waiting'] })).toBe(1);
      expect((await queue.find({ type: 't' }, { limit: 1 })).jobs).toMatchObject([{ state: 'waiting', retries: 0 }]);
    });
  });
}

function runNowContract(context: ContractContext): void {
  describe('runNow', () => {
    it('lets a scheduled job run at once', async () => {
      const { queue, claimOne, registerNode } = await open(context);
      const { id } = await queue.enqueue('t', 1, { delay: '1h' });
      await queue.runNow(id);
      expect((await queue.get(id))?.state).toBe('waiting');
      const claimed = await claimOne(await registerNode(), 't');
      expect(claimed.id).toBe(id);
      await expect(queue.runNow(id)).rejects.toThrow(JobStateError);
      await expect(queue.runNow('999999999')).rejects.toThrow(JobNotFoundError);
    });

    context.itWithSql('leaves a job that is waiting already in its place', async () => {
      const { queue, sql, claim, registerNode } = await open(context);
      const [first, second] = await queue.enqueueMany('t', many(2));
      await sql('UPDATE pq_job SET due = due - 1000 WHERE id IN (?, ?)', [Number(first?.id), Number(second?.id)]);
      await queue.runNow(first?.id ?? '');
      expect((await claim(await registerNode(), 't')).map(({ id }) => id)).toEqual([first?.id, second?.id]);
    });
  });
}

function keyContract(context: ContractContext): void {
  describe('a key of scope', () => {
    it.each(['succeeded', 'failed', 'cancelled'])("'open' is free again when its job has %s", async (end) => {
      const fixture = await open(context);
      const { queue } = fixture;
      const options = { key: 'k', keyScope: 'open' } as const;
      const first = await queue.enqueue('t', 1, options);
      expect(await queue.enqueue('t', 1, options)).toEqual({ id: first.id, created: false });
      if (end === 'cancelled') await queue.cancel(first.id);
      else await settle(fixture, 't', end === 'failed' ? failure : (job) => success(job));
      expect((await queue.get(first.id))?.key).toBe('k');
      expect((await queue.enqueue('t', 1, options)).created).toBe(true);
    });

    it("'row' and 'forever' are taken after the end too", async () => {
      const fixture = await open(context);
      for (const keyScope of ['row', 'forever'] as const) {
        const first = await fixture.queue.enqueue(keyScope, 1, { key: 'k', keyScope });
        await settle(fixture, keyScope, (job) => success(job));
        expect(await fixture.queue.enqueue(keyScope, 1, { key: 'k' })).toEqual({ id: first.id, created: false });
      }
    });

    it("'open' that a later job has keeps the earlier one from being retried", async () => {
      const fixture = await open(context);
      const { queue } = fixture;
      const options = { key: 'k', keyScope: 'open' } as const;
      const first = await queue.enqueue('t', 1, options);
      await settle(fixture, 't', failure);
      const second = await queue.enqueue('t', 2, options);
      await expect(queue.retry(first.id)).rejects.toThrow(KeyTakenError);
      expect(await queue.retry({ type: 't' })).toBe(0);
      expect((await queue.get(first.id))?.state).toBe('failed');
      await settle(fixture, 't', (job) => success(job));
      await queue.retry(first.id);
      expect(await queue.enqueue('t', 3, options)).toEqual({ id: first.id, created: false });
      expect((await queue.get(second.id))?.key).toBe('k');
    });
  });

  describe("onConflict 'error'", () => {
    it('answers the first job for the same payload, and refuses another', async () => {
      const { queue } = await open(context);
      const options = { key: 'k', onConflict: 'error' } as const;
      const first = await queue.enqueue('t', { n: 1 }, options);
      expect(await queue.enqueue('t', { n: 1 }, options)).toEqual({ id: first.id, created: false });
      const refused = await queue.enqueue('t', { n: 2 }, options).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(KeyTakenError);
      expect(refused).toMatchObject({ key: 'k', takenBy: first.id });
      const mixed = [{ payload: 'unkeyed' }, { payload: { n: 3 }, ...options }];
      await expect(queue.enqueueMany('t', mixed)).rejects.toThrow(KeyTakenError);
      expect(await queue.counts()).toEqual([{ type: 't', state: 'waiting', count: 1 }]);
    });
  });
}

/** With its methods bound, to be taken apart. */
async function open(context: ContractContext) {
  const fixture = await context.open();
  const { queue, repository, sql, service } = fixture;
  return {
    queue,
    repository,
    sql,
    service,
    claim: fixture.claim.bind(fixture),
    claimOne: fixture.claimOne.bind(fixture),
    registerNode: fixture.registerNode.bind(fixture),
  };
}

async function settle(
  fixture: Pick<QueueFixture, 'repository' | 'claimOne' | 'registerNode'>,
  type: string,
  end: (job: ClaimedJob) => ReturnType<typeof success>,
): Promise<void> {
  const job = await fixture.claimOne(await fixture.registerNode(), type);
  expect(await fixture.repository.settle([end(job)], NODE)).toEqual([]);
}

function failure(job: ClaimedJob): ReturnType<typeof success> {
  const { attempt } = retry(job, 0);
  return success(job, { state: 'failed', usesRetry: true, attempt: attempt && { ...attempt, outcome: 'failed' } });
}
