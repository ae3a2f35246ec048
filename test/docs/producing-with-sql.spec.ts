import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { handler, startApp } from '../support/app-fixture.js';
import { databases, type TestSchema } from '../support/databases.js';
import { QueueFixture } from '../support/queue-fixture.js';
import { waitUntil } from '../support/wait-until.js';
import { CLIENTS, runInClient, runProgram } from './producing-clients.js';
import { EFFECTS } from './producing-effects.js';
import { isFor, sectionsOf } from './producing-page.js';
import type { Snippet } from './snippets.js';

const root = join(import.meta.dirname, '../..');
const sections = sectionsOf(root, 'sql');
const [python] = sectionsOf(root, 'python').flatMap(({ snippets }) => snippets);
const minimal = sections[0]?.snippets[0]?.code ?? '';

/** What `npm test` could not install it reports, as it does servers. */
function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version']).status === 0;
}

describe('docs/producing-with-sql.md', () => {
  it('has no statement without a test, and no test without a statement', () => {
    expect(sections.map(({ title }) => title)).toEqual(Object.keys(EFFECTS));
    expect(sectionsOf(root, 'python').map(({ title }) => title)).toEqual(['From a program']);
  });
});

describe.each(databases())('docs/producing-with-sql.md on $name', (database) => {
  const withClient = isInstalled(CLIENTS[database.name]) ? it : it.skip;
  let schema: TestSchema;
  let fixture: QueueFixture;
  beforeEach(async () => {
    schema = await database.create();
    fixture = new QueueFixture(await schema.connect(), { serviceName: 'shop' });
    await fixture.repository.open();
    await fixture.sql('CREATE TABLE purchase (id INTEGER PRIMARY KEY, total INTEGER)');
  });
  afterEach(async () => {
    await fixture.close();
    await schema.drop();
  });

  withClient.each(sections)('"$title" does what it says', async ({ title, snippets }) => {
    const fences = snippets.filter((snippet) => isFor(database.name, snippet));
    const unrun = new Set(fences);
    const run = async (index: number): Promise<string[]> => {
      const fence = fences[index] as Snippet;
      unrun.delete(fence);
      const output = await runInClient(schema, fence.code);
      return output.split('\n').filter((row) => row !== '');
    };
    await EFFECTS[title]?.({ fixture, run });
    expect([...unrun]).toEqual([]);
  });

  withClient('a running application runs what the client has inserted, whatever its characters', async () => {
    const received: unknown[] = [];
    const app = await startApp(schema, {
      providers: [handler('order.notify', (payload) => received.push(payload))],
      queue: { serviceName: 'shop' },
    });
    try {
      await runInClient(schema, minimal);
      await runInClient(schema, minimal.replace('"orderId":1', '"to":"Zoë 🙂"'));
      await waitUntil(() => received.length === 2);
      expect(received).toEqual([{ orderId: 1 }, { to: 'Zoë 🙂' }]);
    } finally {
      await app.close();
    }
  });

  if (database.name === 'sqlite') {
    const withPython = isInstalled('python3') ? it : it.skip;
    withPython('the program enqueues with its own row', async () => {
      const { database: file } = schema.options as { database: string };
      await runProgram('python3', ['-c', python?.code ?? '', file], '');
      expect(await fixture.sql('SELECT total FROM purchase WHERE id = 1')).toEqual([{ total: 1_990 }]);
      const { jobs } = await fixture.queue.find({});
      expect(jobs).toMatchObject([{ type: 'order.notify', payload: { orderId: 1, to: 'Zoë 🙂' } }]);
    });
  }
});
