import { afterEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import { NodeLease } from '../../lib/node/node-lease.js';
import { plainOptions } from '../../lib/typeorm/plain-options.js';
import { PasswordDesk } from '../../lib/typeorm/password-desk.js';
import { startApp, type AppFixture } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { waitUntil } from '../support/wait-until.js';

describe.each(databases())('a heartbeat on $name', (database) => {
  let schema: TestSchema;
  let fixture: AppFixture;
  afterEach(async () => {
    await fixture.close();
    await schema.drop();
  });

  /** Here the sources run, beside which there is no compiled script for a thread. */
  it('whose thread cannot run is the main thread’s, and the thread is tried again', async () => {
    schema = await database.create();
    fixture = await startApp(schema, { queue: { autoStart: false, lease: { duration: 1_000, beat: 100 } } });
    const events: QueueEvent[] = [];
    fixture.queue.events$.subscribe((event) => events.push(event));
    await fixture.start();
    const lease = fixture.app.get(NodeLease, { strict: false });
    await waitUntil(() => lease.maySweep, { describe: 'one lease of beats without a gap' });
    if (process.env['PQ_TEST_SQLITE_DRIVER'] !== undefined) {
      const reason = 'dataSource.driver cannot be handed to a thread';
      return expect(events).toContainEqual({ name: 'heartbeat.on-main-thread', reason });
    }
    const ends = () => events.flatMap((event) => (event.name === 'heartbeat.thread-ended' ? [event.againIn] : []));
    await waitUntil(() => ends().length === 2);
    expect(ends()).toEqual([1_000, 2_000]);
    expect(events.filter(({ name }) => name === 'node.lost')).toEqual([]);
  });
});

describe('options of a DataSource', () => {
  const reach = (options: object) =>
    plainOptions(new DataSource({ type: 'postgres', ...options }), {
      connections: 1,
      serviceName: 's',
    });

  it.each([
    [{ extra: { stream: () => undefined } }, 'dataSource.extra.stream'],
    [{ ssl: { checkServerIdentity: () => undefined } }, 'dataSource.ssl.checkServerIdentity'],
    [{ extra: { agent: new (class Agent {})() } }, 'dataSource.extra.agent'],
  ])('that cannot leave their thread are named: %j', (options, path) => {
    expect(reach(options)).toBe(`${path} cannot be handed to a thread`);
  });

  it('that are for the application alone, or plain, are no obstacle', () => {
    const options = {
      host: 'db',
      logger: 'advanced-console',
      poolErrorHandler: () => undefined,
      entities: [class Entity {}],
      ssl: { ca: Buffer.from('ca') },
    };
    const plain = reach(options);
    expect(plain).toMatchObject({ asksPassword: false, options: { host: 'db', ssl: { ca: Buffer.from('ca') } } });
    expect(() => structuredClone(plain)).not.toThrow();
  });

  it('may hold a function for the password', () => {
    expect(reach({ password: () => 'secret' })).toMatchObject({ asksPassword: true, options: { password: undefined } });
  });
});

describe('a thread that needs a password', () => {
  it('is given the one that the main thread answers, or its error', async () => {
    const asked: number[] = [];
    const desk = new PasswordDesk((request) => asked.push(request));
    const [first, second] = [desk.ask(), desk.ask()];
    desk.answer({ kind: 'password', request: asked[1] as number, error: 'the vault is closed' });
    desk.answer({ kind: 'password', request: asked[0] as number, password: 'secret' });
    await expect(second).rejects.toThrow(/the vault is closed/);
    expect(await first).toBe('secret');
  });
});
