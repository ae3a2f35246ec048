import { describe, expect, it } from '@jest/globals';
import { InvalidJobError } from '../../lib/errors/invalid-job.error.js';
import { InvalidOptionError } from '../../lib/errors/invalid-option.error.js';
import { JobNotFoundError } from '../../lib/errors/job-not-found.error.js';
import { JobStateError } from '../../lib/errors/job-state.error.js';
import { MissingRoleError } from '../../lib/errors/missing-role.error.js';
import { UnknownOptionError } from '../../lib/errors/unknown-option.error.js';
import type { ClaimedJob } from '../../lib/job/job.js';
import type { EnqueueOptions } from '../../lib/queue/enqueue-options.js';
import { delivery, retry, success, type QueueFixture } from '../support/queue-fixture.js';
import type { ContractContext } from './contract-context.js';

const NODE = 'host:1#1';
const DAY = 86_400_000;
const MANUAL = { manual: { ackTimeout: 60_000, retention: { succeeded: DAY, failed: 2 * DAY } } };

export function acknowledgementContract(context: ContractContext): void {
  describe('a delivered job', () => {
    it('is running to people, and among the scheduled ones to nobody', async () => {
      const { fixture, id } = await deliver(context);
      const { queue } = fixture;
      const later = await queue.enqueue('t', 2, { delay: '1h' });
      const job = await queue.get(id);
      expect(job).toMatchObject({ state: 'running', result: undefined, finishedAt: undefined, retries: 0 });
      expect(Number(job?.dueAt) - Number(job?.deliveredAt)).toBe(60_000);
      expect(await queue.counts()).toEqual([
        { type: 't', state: 'running', count: 1 },
        { type: 't', state: 'scheduled', count: 1 },
      ]);
      const found = async (...state: ('running' | 'scheduled' | 'waiting')[]) =>
        (await queue.find({ state })).jobs.map((each) => each.id);
      expect(await found('running')).toEqual([id]);
      expect(await found('waiting', 'running')).toEqual([id]);
      expect(await found('scheduled')).toEqual([later.id]);
      expect(await found('scheduled', 'running')).toEqual([later.id, id]);
      expect(await queue.history(id)).toMatchObject([{ attempt: 1, fence: 1, outcome: 'delivered', node: NODE }]);
    });

    it('needs no node: whoever rescues leaves it alone', async () => {
      const { fixture, id, node } = await deliver(context);
      await fixture.repository.retireNode(node);
      expect(await fixture.repository.rescue(10)).toEqual([]);
      expect((await fixture.repository.survey({ types: [], sweep: true })).orphans).toBe(false);
      expect(await fixture.repository.claimsOf(node)).toEqual([]);
      expect((await fixture.queue.get(id))?.state).toBe('running');
    });

    it('cannot be run now, retried or restarted; cancelled it ends at once, and what its consumer tells is late', async () => {
      const { fixture, id } = await deliver(context, { key: 'k', keyScope: 'open' });
      const { queue } = fixture;
      await expect(queue.runNow(id)).rejects.toThrow(/cannot be run now.*'running'/);
      await expect(queue.retry(id)).rejects.toThrow(JobStateError);
      await expect(queue.restart(id, { fromStep: 's' })).rejects.toThrow(/'running'/);
      await queue.cancel(id);
      expect(await queue.history(id)).toMatchObject([{ fence: 1, outcome: 'failed', reason: 'cancelled' }]);
      expect(await queue.finish(id, { delivery: 1 })).toEqual({ accepted: false, state: 'cancelled', reason: 'ended' });
      expect((await queue.enqueue('t', 1, { key: 'k' })).created).toBe(true);
    });

    it('that is cancelled and retried has been delivered by nobody', async () => {
      const { fixture, id } = await deliver(context);
      await fixture.queue.cancel(id);
      await fixture.queue.retry(id);
      const refused = { accepted: false, state: 'waiting', reason: 'not delivered' };
      expect(await fixture.queue.finish(id)).toEqual(refused);
      expect((await fixture.queue.get(id))?.deliveredAt).toBeUndefined();
    });
  });

  finishContract(context);
  racesContract(context);
  timeoutContract(context);
  transactionContract(context);
  ownOptionsContract(context);
}

function finishContract(context: ContractContext): void {
  describe('finish', () => {
    context.itWithSql('ends the job with its result, its history and its retention', async () => {
      const { fixture, id } = await deliver(context, { key: 'k', keyScope: 'open' });
      const { queue } = fixture;
      expect(await queue.finish(id, { result: { sent: 1 }, delivery: 1 })).toEqual({
        accepted: true,
        state: 'succeeded',
        reason: undefined,
      });
      const job = await queue.get(id);
      expect(job).toMatchObject({ state: 'succeeded', result: { sent: 1 }, fence: 1, key: 'k' });
      expect(await keptFor(fixture, id)).toBe(DAY);
      const [attempt, ...others] = await queue.history(id);
      expect(others).toEqual([]);
      expect(attempt).toMatchObject({ outcome: 'succeeded', reason: undefined, endedAt: expect.any(Date) });
      expect((await queue.enqueue('t', 1, { key: 'k' })).created).toBe(true);
      expect(await queue.counts()).toContainEqual({ type: 't', state: 'succeeded', count: 1 });
    });

    it('leaves the result to what the handler returned, unless it gives one, be it null', async () => {
      const returned = await deliver(context, {}, '"returned"');
      await returned.fixture.queue.finish(returned.id);
      expect((await returned.fixture.queue.get(returned.id))?.result).toBe('returned');
      const given = await deliver(context, {}, '"returned"');
      await given.fixture.queue.finish(given.id, { result: null });
      expect((await given.fixture.queue.get(given.id))?.result).toBeNull();
    });

    it('twice, or after fail(), is answered and changes nothing', async () => {
      const { fixture, id } = await deliver(context);
      await fixture.queue.finish(id, { result: 'first' });
      const ended = { accepted: false, state: 'succeeded', reason: 'ended' };
      expect(await fixture.queue.finish(id, { result: 'second' })).toEqual(ended);
      expect(await fixture.queue.processing(id)).toEqual(ended);
      expect(await fixture.queue.fail(id, 'no')).toEqual(ended);
      expect(await fixture.queue.get(id)).toMatchObject({ state: 'succeeded', result: 'first' });
      expect(await fixture.queue.history(id)).toHaveLength(1);
    });

    context.itWithSql('with the number of another delivery is refused', async () => {
      const { fixture, id } = await deliver(context);
      const { queue } = fixture;
      expect(await queue.finish(id, { delivery: 7 })).toEqual({
        accepted: false,
        state: 'running',
        reason: 'not delivered',
      });
      await takeBack(fixture, id);
      const again = await claimManually(fixture, await fixture.registerNode());
      expect(again).toMatchObject({ fence: 2, retries: 1 });
      const late = { accepted: false, state: 'running', reason: 'delivered again' };
      expect(await queue.finish(id, { delivery: 1 })).toEqual(late);
      expect(await queue.processing(id, { delivery: 1 })).toEqual(late);
      expect(await queue.fail(id, 'no', { delivery: 1 })).toEqual(late);
      await fixture.repository.settle([delivery(again, 60_000)], NODE);
      expect(await queue.finish(id, { delivery: 1 })).toEqual(late);
      expect(await queue.finish(id, { delivery: 2 })).toMatchObject({ accepted: true });
      expect((await queue.history(id)).map(({ fence, outcome }) => [fence, outcome])).toEqual([
        [1, 'delivered'],
        [2, 'succeeded'],
      ]);
    });

    it('of a job that nobody has delivered, or that ends by itself, is refused', async () => {
      const fixture = await context.open();
      const { queue } = fixture;
      const { id } = await queue.enqueue('t', 1);
      expect(await queue.finish(id)).toEqual({ accepted: false, state: 'waiting', reason: 'not delivered' });
      const automatic = await fixture.claimOne(await fixture.registerNode(), 't');
      expect(await queue.finish(id)).toEqual({ accepted: false, state: 'running', reason: 'not manual' });
      await fixture.repository.settle([retry(automatic, 60_000)], NODE);
      expect(await queue.finish(id)).toEqual({ accepted: false, state: 'scheduled', reason: 'not delivered' });
    });

    context.itWithSql('deletes a job that is kept for no time, with its steps and not with its history', async () => {
      const { fixture, id } = await deliver(context, { retention: { succeeded: 0 } });
      await fixture.sql(
        `INSERT INTO pq_step (job_id, name, kind, place, state) VALUES (?, 's', 'call', 1, 'succeeded')`,
        [Number(id)],
      );
      expect(await fixture.queue.finish(id)).toMatchObject({ accepted: true, state: 'succeeded' });
      expect(await fixture.queue.get(id)).toBeUndefined();
      expect((await fixture.sql('SELECT 1 FROM pq_step WHERE job_id = ?', [Number(id)])).length).toBe(0);
      expect(await fixture.queue.history(id)).toMatchObject([{ outcome: 'succeeded' }]);
      await expect(fixture.queue.finish(id)).rejects.toThrow(JobNotFoundError);
    });

    it('of no such job, of another service, or without the role, is an error', async () => {
      const { fixture, id } = await deliver(context);
      await expect(fixture.queue.finish('999999999')).rejects.toThrow(JobNotFoundError);
      await expect((await context.open()).queue.finish(id)).rejects.toThrow(JobNotFoundError);
      const worker = await context.open({ serviceName: fixture.service, roles: ['work'] });
      await expect(worker.queue.finish(id)).rejects.toThrow(MissingRoleError);
      await expect(worker.queue.processing(id)).rejects.toThrow(MissingRoleError);
      await expect(worker.queue.fail(id, 'no')).rejects.toThrow(MissingRoleError);
    });

    it('with arguments that cannot be meant is an error that names them', async () => {
      const { fixture, id } = await deliver(context);
      const { queue } = fixture;
      await expect(queue.finish(id, { delivery: 0 })).rejects.toThrow(InvalidOptionError);
      await expect(queue.finish(id, { delivery: '1' as never })).rejects.toThrow(/finish\(\)\.delivery/);
      await expect(queue.finish(id, { results: 1 } as never)).rejects.toThrow(UnknownOptionError);
      await expect(queue.finish(id, { result: 1n })).rejects.toThrow(InvalidJobError);
      await expect(queue.finish(id, { result: 'x'.repeat(1_100_000) })).rejects.toThrow(/result.*1048576/);
      await expect(queue.fail(id, '')).rejects.toThrow(InvalidJobError);
      expect((await queue.get(id))?.state).toBe('running');
    });
  });

  describe('fail', () => {
    context.itWithSql('ends the job for good, whatever retries are left', async () => {
      const { fixture, id } = await deliver(context, { key: 'k', keyScope: 'open' }, '"returned"');
      const { queue } = fixture;
      expect(await queue.fail(id, 'no such customer')).toEqual({ accepted: true, state: 'failed', reason: undefined });
      const error = { name: 'PermanentJobError', message: 'no such customer' };
      expect(await queue.get(id)).toMatchObject({ state: 'failed', lastError: error, result: undefined, key: 'k' });
      expect(await queue.history(id)).toMatchObject([{ outcome: 'failed', reason: 'error', error }]);
      expect(await keptFor(fixture, id)).toBe(2 * DAY);
      await queue.retry(id);
      expect(await queue.get(id)).toMatchObject({ state: 'waiting', retries: 0, deliveredAt: undefined });
    });
  });
}

function racesContract(context: ContractContext): void {
  describe('a consumer that is faster than the handler', () => {
    it.each(['finish', 'fail'] as const)('may %s the job: what the handler does then changes nothing', async (verb) => {
      const { fixture, claimed, id } = await claim(context);
      const { queue, repository } = fixture;
      await repository.recordStarts([{ ...claimed, ago: 500 }]);
      const told = await (verb === 'finish'
        ? queue.finish(id, { delivery: claimed.fence, result: 'fast' })
        : queue.fail(id, 'fast', { delivery: claimed.fence }));
      expect(told.accepted).toBe(true);
      const before = [await queue.get(id), await queue.history(id)];
      const held = [{ ...claimed, manual: true }];
      expect((await repository.survey({ types: [], sweep: false, held })).lost).toEqual([]);
      for (const late of [delivery(claimed, 60_000), { ...retry(claimed, 0), manual: true }, failureOf(claimed)])
        expect(await repository.settle([late], NODE)).toEqual([]);
      expect([await queue.get(id), await queue.history(id)]).toEqual(before);
      const [attempt] = await queue.history(id);
      expect(Number(attempt?.endedAt) - Number(attempt?.startedAt)).toBeGreaterThanOrEqual(490);
    });

    it('loses nothing when the job is deleted with its end, and a job with another fence is lost all the same', async () => {
      const fixture = await context.open();
      const { queue, repository } = fixture;
      const [gone, taken] = await queue.enqueueMany('t', [{ payload: 1, retention: { succeeded: 0 } }, { payload: 2 }]);
      const jobs = await fixture.claim(await fixture.registerNode(), 't', MANUAL);
      await queue.finish(gone?.id ?? '');
      await queue.cancel(taken?.id ?? '');
      const held = jobs.map((job) => ({ ...job, manual: true }));
      const lost = { id: taken?.id, fence: 1 };
      expect((await repository.survey({ types: [], sweep: false, held })).lost).toEqual([lost]);
      expect(
        await repository.settle(
          jobs.map((job) => delivery(job, 60_000)),
          NODE,
        ),
      ).toEqual([taken?.id]);
      expect(await queue.get(gone?.id ?? '')).toBeUndefined();
    });

    it('is no excuse for a claim that another one has overtaken, and that is settled with it', async () => {
      const { fixture, claimed, id } = await claim(context);
      await fixture.silence();
      await fixture.repository.rescue(10);
      const current = await claimManually(fixture, await fixture.registerNode());
      const batch = [delivery(claimed, 60_000), { ...failureOf(current), keep: 0 }];
      expect(await fixture.repository.settle(batch, NODE)).toEqual([id]);
      expect(await fixture.queue.get(id)).toBeUndefined();
    });

    it('does not have its job deleted by what the handler says about another end', async () => {
      const { fixture, claimed, id } = await claim(context);
      await fixture.queue.finish(id);
      expect(await fixture.repository.settle([{ ...failureOf(claimed), keep: 0 }], NODE)).toEqual([]);
      expect((await fixture.queue.get(id))?.state).toBe('succeeded');
    });

    it('may tell that it is at it, which begins no time yet', async () => {
      const { fixture, claimed, id } = await claim(context);
      const told = { accepted: true, state: 'running', reason: undefined };
      expect(await fixture.queue.processing(id, { delivery: claimed.fence })).toEqual(told);
      expect(await fixture.queue.get(id)).toMatchObject({ state: 'running', deliveredAt: undefined });
      expect(await fixture.repository.settle([delivery(claimed, 60_000)], NODE)).toEqual([]);
      expect((await fixture.queue.get(id))?.deliveredAt).toBeInstanceOf(Date);
    });

    context.itWithSql('does not get the result of an earlier handling', async () => {
      const { fixture, id } = await deliver(context, {}, '"of the first"');
      await takeBack(fixture, id);
      await claimManually(fixture, await fixture.registerNode());
      await fixture.queue.finish(id);
      expect(await fixture.queue.get(id)).toMatchObject({ state: 'succeeded', result: undefined });
    });
  });

  context.itWithSql('a handler that is automatic now has nothing left of an earlier delivery', async () => {
    const { fixture, id } = await deliver(context);
    const { queue, repository } = fixture;
    await takeBack(fixture, id);
    const automatic = await fixture.claimOne(await fixture.registerNode(), 't');
    await repository.settle([retry(automatic, 60_000)], NODE);
    expect(await queue.get(id)).toMatchObject({ state: 'scheduled', deliveredAt: undefined });
    expect(await queue.finish(id)).toMatchObject({ accepted: false, reason: 'not delivered' });
  });
}

function timeoutContract(context: ContractContext): void {
  describe('a job that is not acknowledged in time', () => {
    context.itWithSql('waits again, has used up a retry, and says why', async () => {
      const { fixture, id } = await deliver(context);
      const other = await fixture.queue.enqueue('t', 2, { delay: 1 });
      await fixture.sql('UPDATE pq_job SET due = due - 60000 WHERE service = ?', [fixture.service]);
      expect(await fixture.repository.promote(10)).toBe(2);
      const lastError = { name: 'AcknowledgementTimeout', message: expect.stringContaining('within 60000 ms') };
      expect(await fixture.queue.get(id)).toMatchObject({ state: 'waiting', retries: 1, lastError });
      expect(await fixture.queue.get(other.id)).toMatchObject({ state: 'waiting', retries: 0, lastError: undefined });
    });

    context.itWithSql('counts as finished when that is told before it is handled again', async () => {
      const { fixture, id } = await deliver(context, {}, '"late"');
      await takeBack(fixture, id);
      expect(await fixture.queue.finish(id, { delivery: 1 })).toMatchObject({ accepted: true });
      expect(await fixture.queue.get(id)).toMatchObject({ state: 'succeeded', result: 'late' });
      expect(await fixture.queue.history(id)).toMatchObject([{ attempt: 1, outcome: 'succeeded' }]);
      expect(await fixture.claim(await fixture.registerNode(), 't', MANUAL)).toEqual([]);
    });

    context.itWithSql(
      'has all of its time again, and its retry, when its consumer says so before it is handled again',
      async () => {
        const { fixture, id } = await deliver(context);
        await takeBack(fixture, id);
        expect(await fixture.queue.processing(id)).toMatchObject({ accepted: true, state: 'running' });
        const job = await fixture.queue.get(id);
        expect(job).toMatchObject({ state: 'running', retries: 0 });
        expect(Number(job?.dueAt) - Number(job?.deliveredAt)).toBeGreaterThanOrEqual(60_000);
        expect(await fixture.claim(await fixture.registerNode(), 't', MANUAL)).toEqual([]);
      },
    );

    context.itWithSql('is not late while its consumer says that it is at it', async () => {
      const { fixture, id } = await deliver(context);
      await fixture.sql('UPDATE pq_job SET due = due - 59000 WHERE id = ?', [Number(id)]);
      const before = Number((await fixture.queue.get(id))?.dueAt);
      await fixture.queue.processing(id, { delivery: 1 });
      expect(Number((await fixture.queue.get(id))?.dueAt)).toBeGreaterThanOrEqual(before + 59_000);
      expect(await fixture.repository.promote(10)).toBe(0);
    });
  });
}

function transactionContract(context: ContractContext): void {
  describe("an acknowledgement in a caller's transaction", () => {
    it('is kept with it, and forgotten with it', async () => {
      const { fixture, id } = await deliver(context);
      const { queue } = fixture;
      const told: string[] = [];
      queue.events$.subscribe(({ name }) => told.push(name));
      const undone = queue.transaction(async () => {
        expect(await queue.finish(id)).toMatchObject({ accepted: true, state: 'succeeded' });
        expect(await queue.finish(id)).toMatchObject({ accepted: false, reason: 'ended' });
        throw new Error('no');
      });
      await expect(undone).rejects.toThrow('no');
      expect(await queue.get(id)).toMatchObject({ state: 'running', finishedAt: undefined });
      expect(await queue.history(id)).toMatchObject([{ outcome: 'delivered' }]);
      expect(told).toEqual([]);
      await queue.transaction(async (manager) => {
        await queue.finish(id, { manager });
        expect(told).toEqual([]);
      });
      expect((await queue.get(id))?.state).toBe('succeeded');
      expect(told).toEqual(['job.succeeded']);
    });

    it('with manager null is committed by itself', async () => {
      if (context.database.name === 'sqlite') return;
      const { fixture, id } = await deliver(context);
      const undone = fixture.queue.transaction(async () => {
        await fixture.queue.finish(id, { manager: null });
        throw new Error('no');
      });
      await expect(undone).rejects.toThrow('no');
      expect((await fixture.queue.get(id))?.state).toBe('succeeded');
    });

    it('is the only one of two at the same moment', async () => {
      const { fixture, id } = await deliver(context);
      const answers = await Promise.all([
        fixture.queue.finish(id),
        fixture.queue.fail(id, 'no'),
        fixture.queue.finish(id),
      ]);
      expect(answers.filter(({ accepted }) => accepted)).toHaveLength(1);
      expect(answers.filter(({ reason }) => reason === 'ended')).toHaveLength(2);
    });
  });
}

function ownOptionsContract(context: ContractContext): void {
  describe('options of one job', () => {
    context.itWithSql('come with its claim, alone and among others', async () => {
      const fixture = await context.open();
      const { queue } = fixture;
      await queue.enqueue('t', 1, { maxRetries: Infinity, retention: { succeeded: 0 } });
      await queue.enqueueMany('t', [{ payload: 2, maxRetries: 7, retention: { failed: '1h' } }, { payload: 3 }]);
      await fixture.sql(`INSERT INTO pq_job (service, type, max_retries, keep_failed) VALUES (?, 't', 2, 5)`, [
        fixture.service,
      ]);
      const jobs = await fixture.claim(await fixture.registerNode(), 't');
      const byId = jobs.toSorted((a, b) => Number(a.id) - Number(b.id));
      expect(byId.map(({ maxRetries, retention }) => [maxRetries, retention.succeeded, retention.failed])).toEqual([
        [Infinity, 0, undefined],
        [7, undefined, 3_600_000],
        [undefined, undefined, undefined],
        [2, undefined, 5],
      ]);
    });

    context.itWithSql('say how long a cancelled and a crashed one is kept', async () => {
      const fixture = await context.open();
      const { queue, repository, sql, service } = fixture;
      const cancelled = await queue.enqueue('t', 1, { retention: { failed: '2h' } });
      await queue.cancel(cancelled.id);
      expect(await keptFor(fixture, cancelled.id)).toBe(7_200_000);
      const crashed = await queue.enqueue('t', 1, { retention: { failed: '3h' } });
      const claimed = await fixture.claimOne(await fixture.registerNode(), 't', { maxCrashes: 1 });
      await repository.recordStarts([{ ...claimed, ago: 1 }]);
      await sql('UPDATE pq_job SET suspect = 1 WHERE id = ?', [Number(crashed.id)]);
      await sql('UPDATE pq_node SET expires_at = 0 WHERE service = ?', [service]);
      expect(await repository.rescue(10)).toMatchObject([{ state: 'failed' }]);
      expect(await keptFor(fixture, crashed.id)).toBe(10_800_000);
    });

    it('that cannot be are refused, by the call and by the table', async () => {
      const fixture = await context.open();
      const refused: EnqueueOptions[] = [
        { maxRetries: -1 },
        { maxRetries: 1.5 },
        { retention: { succeeded: -1 } },
        { retention: 7 as never },
      ];
      for (const options of refused)
        await expect(fixture.queue.enqueue('t', 1, options)).rejects.toThrow(InvalidJobError);
      await expect(fixture.queue.enqueue('t', 1, { retention: { done: 1 } as never })).rejects.toThrow(
        UnknownOptionError,
      );
      for (const column of ['max_retries', 'keep_succeeded', 'keep_failed']) {
        const sql = `INSERT INTO pq_job (service, type, ${column}) VALUES (?, 't', -1)`;
        await expect(fixture.sql(sql, [fixture.service])).rejects.toThrow();
      }
    });
  });
}

async function claimManually(fixture: QueueFixture, node: string): Promise<ClaimedJob> {
  return fixture.claimOne(node, 't', MANUAL);
}

async function claim(context: ContractContext, options: EnqueueOptions = {}) {
  const fixture = await context.open();
  const { id } = await fixture.queue.enqueue('t', 1, options);
  const node = await fixture.registerNode();
  return { fixture, id, node, claimed: await claimManually(fixture, node) };
}

/** A job whose handler has returned `result`. */
async function deliver(context: ContractContext, options: EnqueueOptions = {}, result?: string) {
  const job = await claim(context, options);
  expect(await job.fixture.repository.settle([{ ...delivery(job.claimed, 60_000), result }], NODE)).toEqual([]);
  return job;
}

/** Its time passes without an acknowledgement. */
async function takeBack(fixture: QueueFixture, id: string): Promise<void> {
  await fixture.sql('UPDATE pq_job SET due = due - 60000 WHERE id = ?', [Number(id)]);
  expect(await fixture.repository.promote(10)).toBe(1);
}

function failureOf(job: ClaimedJob) {
  return { ...success(job, { state: 'failed', keep: DAY }), manual: true };
}

async function keptFor({ sql }: QueueFixture, id: string): Promise<number> {
  const [row] = await sql<{ kept: string }>('SELECT expires_at - finished_at AS kept FROM pq_job WHERE id = ?', [
    Number(id),
  ]);
  return Number(row?.kept);
}
