import { JobHandler, JobOutcome } from 'nestjs-persistent-queue';
import { setTimeout as sleep } from 'node:timers/promises';
import { insertEffect, wordsOf } from '../tables.mjs';
import { MAX_CRASHES, MAX_RETRIES, STEPS } from './limits.mjs';
import { fences } from './watched-repository.mjs';

/**
 * The handlers write what they do into the ledger, each type in its own way. `application` answers `{ queue, dialect }`: the handlers
 * are there before the application is. What a job does is in its payload:
 *
 *     token      names it
 *     ms         how long it takes
 *     again      how long a sleeper takes when somebody has claimed it before
 *     fails      how many attempts throw
 *     continues  how many times it asks to be run again
 *     swallows   it goes on after an inner transaction that has failed: the first time
 *     child      the token of a job that it enqueues in its transaction
 */
export function handlersOf(application) {
  class ChaosJobs {
    /** Any number of times, at least once. */
    async plain(payload, job) {
      const fence = fences.get(job.id);
      await this.#write(payload, job, { effect: 'start', fence });
      const outcome = await this.#live(payload, job, { way: 'plain' });
      if (outcome !== undefined) return outcome;
      await this.#write(payload, job, { effect: 'done', fence });
      return { fence };
    }

    /** Writes only while its fence is the one in the database, and holds it there until its write is committed. */
    async fenced(payload, job) {
      const fence = fences.get(job.id);
      await sleep(payload.ms);
      const { queue, dialect } = application();
      await queue.transaction(async (manager) => {
        const mine = `id = ${Number(job.id)} AND fence = ${fence} AND state = 'running'`;
        const { touch, lockRow } = wordsOf(dialect);
        if (touch) await manager.query(`UPDATE pq_job ${touch} WHERE ${mine}`);
        const held = await manager.query(`SELECT id FROM pq_job WHERE ${mine}${lockRow}`);
        if (held.length === 0) throw new Error('The fence is stale.');
        await manager.query(insertEffect(dialect, { way: 'fenced', effect: 'done', job: job.id, fence, ...payload }));
      });
      throwOnFirst(payload, job);
      return { fence };
    }

    /**
     * Writes nothing: its end is on its way to the database the moment that its process wakes up. Whoever has it then sleeps for long
     * enough to be in the middle of it: that is when a late end does harm.
     */
    async sleeper({ ms, again }, job) {
      const fence = fences.get(job.id);
      await sleep(fence === 1 ? ms : again);
      return { fence };
    }

    async transactional(payload, job) {
      const fence = fences.get(job.id);
      const outcome = await this.#live(payload, job, { way: 'transactional', manager: job.manager });
      const effect = outcome === undefined ? 'done' : 'step';
      await job.manager.query(this.#effect(payload, job, { way: 'transactional', effect, fence }));
      return outcome ?? { fence };
    }

    async owntransaction(payload, job) {
      const fence = fences.get(job.id);
      const { queue } = application();
      return job.transaction(async (manager) => {
        await this.#live(payload, job, { way: 'owntransaction', manager });
        await manager.query(this.#effect(payload, job, { way: 'owntransaction', effect: 'done', fence }));
        if (payload.child) await queue.enqueue('plain', { token: payload.child, ms: 5 }, { reference: payload.child });
        if (payload.swallows && job.attempt === 1) await queue.transaction(fail).catch(() => undefined);
        return { fence };
      });
    }

    /** Each step is committed together with its effect: what has been done is not done again, whichever attempt comes to it. */
    async stepped(payload, job) {
      const fence = fences.get(job.id);
      for (const effect of STEPS) {
        const write = (manager) => manager.query(this.#effect(payload, job, { way: 'stepped', effect, fence }));
        await job.step(effect, async (manager) => void (await write(manager)), { transactional: true });
        await sleep(payload.ms / STEPS.length);
      }
      throwOnFirst(payload, job);
      return { fence };
    }

    /** Takes its time, throws, or answers that it wants to go on later. */
    async #live({ token, ms, fails, continues = 0 }, job, { way, manager }) {
      const steps = continues > 0 ? await this.#count(token, way, manager) : 0;
      await sleep(ms);
      throwOnFirst({ fails }, job);
      const enough = way === 'plain' ? continues + 1 : continues;
      return steps < enough && continues > 0 ? JobOutcome.continue({ after: 50 }) : undefined;
    }

    async #count(token, way, manager) {
      const sql = `SELECT id FROM ledger WHERE token = '${token}' AND way = '${way}' AND effect <> 'done'`;
      if (manager) return (await manager.query(sql)).length;
      return application().queue.transaction(async (own) => (await own.query(sql)).length);
    }

    /** On SQLite the application has one connection: whatever writes takes turns. */
    #write(payload, job, effect) {
      return application().queue.transaction((manager) =>
        manager.query(this.#effect(payload, job, { way: 'plain', ...effect })),
      );
    }

    #effect({ token }, job, effect) {
      return insertEffect(application().dialect, { ...effect, job: job.id, token });
    }
  }
  const common = { maxRetries: MAX_RETRIES, maxCrashes: MAX_CRASHES, waitTime: 300 };
  // Transactions hold connections of the application's pool: the others must get some too.
  declare(ChaosJobs, 'plain', { ...common, concurrency: 12 });
  declare(ChaosJobs, 'sleeper', { ...common, concurrency: 8 });
  declare(ChaosJobs, 'fenced', { ...common, concurrency: 6 });
  declare(ChaosJobs, 'transactional', { ...common, concurrency: 2, transactional: true });
  declare(ChaosJobs, 'owntransaction', { ...common, concurrency: 2 });
  declare(ChaosJobs, 'stepped', { ...common, concurrency: 3 });
  return ChaosJobs;
}

function declare(type, method, options) {
  JobHandler(method, options)(type.prototype, method, Object.getOwnPropertyDescriptor(type.prototype, method));
}

function throwOnFirst({ fails = 0 }, job) {
  if (job.attempt <= fails) throw new Error(`Attempt ${job.attempt} of ${fails} that fail.`);
}

async function fail() {
  throw new Error('An inner transaction that fails.');
}
