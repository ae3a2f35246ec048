import { expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { describeGalera } from '../support/galera-fixture.js';
import { deferred, waitUntil } from '../support/wait-until.js';

describeGalera('a Galera cluster of three, of which one is lost,', (galera) => {
  it('goes on with another member when that of a worker is killed, and the member may come back', async () => {
    galera.nextService();
    const begun = deferred();
    const end = deferred();
    const port = galera.cluster.members[0]!.port;
    const addresses = [2, 0].map((member) => ({ address: galera.cluster.members[member]!.host, family: 4 }));
    // As a host name that has two addresses.
    const lookup = (_: string, __: unknown, done: (error: null, found: object[]) => void) => done(null, addresses);
    const stream = () => connect({ host: 'galera', port, lookup: lookup as never, autoSelectFamily: true });
    const worker = await galera.start({ ...galera.on(2), extra: { stream } }, async () => {
      begun.resolve();
      await end.promise;
      return 'done';
    });
    const { id } = await worker.queue.enqueue('work');
    await begun.promise;
    await galera.cluster.members[2]!.kill();
    end.resolve();
    const job = await waitUntil(
      async () => {
        const found = await worker.queue.get(id).catch(() => undefined);
        return found?.state === 'succeeded' ? found : undefined;
      },
      { timeout: 20_000, describe: 'the end of the job on another member' },
    );
    expect(job?.result).toBe('done');
    expect((await worker.queue.history(id)).map(({ outcome }) => outcome)).toEqual(['succeeded']);
    await galera.cluster.members[2]!.start();
    const back = await galera.start(galera.on(2));
    expect((await back.queue.get(id))?.state).toBe('succeeded');
  }, 90_000);

  it('takes the jobs of a worker whose member is isolated, and what it writes later changes nothing', async () => {
    galera.nextService();
    const runs: string[] = [];
    const begun = deferred();
    const end = deferred();
    const late = deferred();
    const lone = await galera.start(galera.on(1), async (_, job) => {
      runs.push('isolated');
      begun.resolve();
      await end.promise;
      late.resolve();
      return `isolated, aborted: ${job.signal.aborted}`;
    });
    const { id } = await lone.queue.enqueue('work');
    await begun.promise;
    const observer = await galera.schema.connect();
    const startedAt = async () =>
      (await observer.query('SELECT started_at FROM pq_job WHERE id = ?', [id]))[0].started_at;
    await waitUntil(async () => Number(await startedAt()) > 0, { describe: 'the start of the job to be known' });
    await galera.cluster.members[1]!.isolate();
    const other = await galera.start(galera.on(0), () => {
      runs.push('other');
      return 'other';
    });
    const ended = await waitUntil(
      async () => {
        const job = await other.queue.get(id).catch(() => undefined);
        return job?.state === 'succeeded' ? job : undefined;
      },
      { timeout: 30_000, describe: 'the job on the other worker' },
    );
    expect(ended?.result).toBe('other');
    end.resolve();
    await late.promise;
    await galera.cluster.members[1]!.rejoin();
    // It has found itself dead, and is a node like others again.
    const next = await other.queue.enqueueMany(
      'work',
      Array.from({ length: 20 }, () => ({ payload: null })),
    );
    for (const one of next) await other.waitFor(one.id, 'succeeded');
    await waitUntil(async () => (await lone.queue.get(id).catch(() => undefined))?.result === 'other');
    expect((await other.queue.history(id)).map(({ outcome }) => outcome)).toEqual(['crashed', 'succeeded']);
    expect(runs.slice(0, 2)).toEqual(['isolated', 'other']);
  }, 120_000);
});
