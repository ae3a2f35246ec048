import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { databases } from '../support/databases.js';
import { ServiceFixture } from '../support/service-fixture.js';
import { waitUntil } from '../support/wait-until.js';

const LEASE = { duration: 1_000, beat: 200 };

describe.each(databases())('a delivered job on $name', (database) => {
  let service: ServiceFixture;
  beforeAll(async () => {
    service = await ServiceFixture.create(database, { lease: LEASE, poll: { max: '50ms' } });
  });
  afterAll(() => service.close());

  it('stays as it is when the process is killed that has delivered it', async () => {
    const { queue } = service;
    const [killed, other] = [await service.startWorker(), await service.startWorker({ types: { include: ['noop'] } })];
    const { id } = await queue.enqueue('hand over');
    await waitUntil(async () => (await queue.get(id))?.deliveredAt !== undefined, { describe: 'the delivery' });
    // What it is running then is rescued: by that, we know that it has been looked for what it had.
    const lost = await service.begin(killed, 'wait', 60_000);
    await service.mayRescue(other);
    await killed.kill();
    const rescued = () => other.named('job.rescued').map(({ job }) => job.id);
    await waitUntil(() => rescued().length > 0, { timeout: 20_000, describe: 'a rescue' });
    expect(rescued()).toEqual([lost]);
    expect(await queue.get(id)).toMatchObject({ state: 'running', fence: 1, retries: 0, crashes: 0 });
    expect(await queue.finish(id, { delivery: 1 })).toMatchObject({ accepted: true });
    expect(await queue.get(id)).toMatchObject({ state: 'succeeded', result: killed.pid });
  });
});
