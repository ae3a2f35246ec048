import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { brokers, type Broker } from '../support/brokers.mjs';
import { databases } from '../support/databases.js';
import { RelayFixture } from '../support/relay-fixture.js';
import { waitUntil } from '../support/wait-until.js';

const JOBS = Number(process.env['PQ_PROOF_RELAY_JOBS'] ?? 10_000);
/** How long the broker is gone, at the least: its start takes some time too. */
const OUTAGE = 3_000;
/** Redis keeps nothing: what a consumer had received and not done is sent again soon. RabbitMQ keeps what it has confirmed. */
const ACK_TIMEOUT = { Redis: 15_000, RabbitMQ: 60_000 };
const PATIENCE = 60_000 + JOBS * 10;

const mariaDb = databases().filter(({ name }) => name === 'mariadb');

describe.each(mariaDb)('jobs on $name', (database) => {
  describe.each(brokers())('relayed through $name', ({ name, start }) => {
    let broker: Broker;
    let relay: RelayFixture;

    beforeAll(async () => {
      broker = (await start()) as Broker;
      relay = await RelayFixture.create(database, broker.url, ACK_TIMEOUT[name]);
      await relay.enqueue(JOBS);
    }, 60_000);
    afterAll(async () => {
      await relay.close();
      await broker.stop();
    });

    async function restartBroker(): Promise<void> {
      await broker.crash();
      await pause(OUTAGE);
      await broker.restart();
    }

    /** `count` is asked until so many messages have been sent, or handled. */
    const reached = (count: () => number, share: number, what: string) =>
      waitUntil(() => relay.mustLive() && count() >= JOBS * share, {
        timeout: PATIENCE,
        describe: () => `${JOBS * share} messages to be ${what}; ${count()} have been`,
      });
    const sent = (share: number) => reached(() => relay.sent, share, 'sent');
    const handled = (share: number) => reached(() => relay.handled, share, 'handled');

    it(
      'are all finished, although the broker is killed twice and the consumer twice',
      async () => {
        const began = performance.now();
        const killFirst = await relay.startConsumer();
        await relay.startSender();
        await sent(0.15);
        await restartBroker();
        await handled(0.3);
        await killFirst();
        const killSecond = await relay.startConsumer();
        await handled(0.5);
        await restartBroker();
        await handled(0.75);
        await killSecond();
        await relay.startConsumer();
        let open = JOBS;
        await waitUntil(async () => relay.mustLive() && (open = await relay.openJobs()) === 0, {
          timeout: PATIENCE,
          describe: () => `the last job to be finished; ${open} are open`,
        });
        const seconds = (performance.now() - began) / 1_000;
        const figures = await relay.figures();
        const perJob = (await relay.deliveriesPerJob()).map(([deliveries, jobs]) => `${jobs} × ${deliveries}`);
        console.info(
          `${name}: ${JOBS} jobs in ${seconds.toFixed(1)} s, finished ${figures.jobs['succeeded']}; ` +
            `delivered ${figures.deliveries} times, of which again ${figures.deliveries - JOBS} (jobs × deliveries: ${perJob.join(', ')}); ` +
            `sends refused ${figures.refused}; effects ${figures.effects} of ${figures.jobsWithEffect} jobs; late messages ${relay.late}`,
        );
        expect(figures.jobs).toEqual({ succeeded: JOBS });
        expect(figures.jobsWithEffect).toBe(JOBS);
        expect(figures.refused).toBeGreaterThan(0);
        expect(figures.deliveries).toBeGreaterThanOrEqual(JOBS);
      },
      2 * PATIENCE,
    );
  });
});
