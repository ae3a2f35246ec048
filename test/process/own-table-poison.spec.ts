import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Attempt } from '../../lib/job/attempt.js';
import { readAttempt } from '../../lib/typeorm/statements/read-jobs.js';
import { databases, onEveryDatabase, type TestDatabase } from '../support/databases.js';
import { OwnTableFixture } from '../support/own-table-fixture.js';
import { waitUntil } from '../support/wait-until.js';

const AT_MOST = 1_000;
/** The first crash may be anybody's fault; three more are this row's. */
const DEATHS = 4;
const POISON = 5;
const ROWS = 10;

interface Poisoned {
  readonly table: OwnTableFixture;
  readonly deaths: number;
}

describe('a row of an own table that takes its process with it each time', () => {
  const tables: OwnTableFixture[] = [];
  let on: (name: string) => Promise<Poisoned>;
  beforeAll(() => {
    on = onEveryDatabase(startUntilItFails);
  });
  afterAll(() => Promise.all(tables.map((table) => table.close())));

  async function startUntilItFails(database: TestDatabase): Promise<Poisoned> {
    const table = await OwnTableFixture.create(database, AT_MOST);
    tables.push(table);
    await table.insert(
      Array.from({ length: ROWS }, (_, n) => ({ payload: { kind: n + 1 === POISON ? 'poison' : 'good', ms: 100 } })),
    );
    let deaths = 0;
    while (!(await table.isDone()) && deaths <= DEATHS) {
      const worker = table.service.launchWorker();
      await waitUntil(async () => !worker.isRunning || (await table.isDone()), { timeout: 40_000 });
      if (!worker.isRunning) deaths++;
    }
    return { table, deaths };
  }

  describe.each(databases())('on $name', ({ name }) => {
    it('fails as crash after maxCrashes', async () => {
      const { table, deaths } = await on(name);
      expect(deaths).toBe(DEATHS);
      const rows = await table.service.sql(
        'SELECT * FROM pq_operation_attempt WHERE row_id = ? ORDER BY fence, ended_at',
        [String(POISON)],
      );
      const attempts: Attempt[] = rows.map(readAttempt);
      expect(attempts.map(({ outcome }) => outcome)).toEqual([...Array(DEATHS).fill('crashed'), 'failed']);
      expect(attempts.at(-1)).toMatchObject({ reason: 'crash', error: { name: 'CrashError' }, attempt: 1 });
    }, 120_000);

    it('is held against no other row', async () => {
      const { table } = await on(name);
      const statuses = (await table.rows()).map(({ status }) => status);
      expect(statuses).toEqual(Array.from({ length: ROWS }, (_, n) => (n + 1 === POISON ? 2 : 1)));
    }, 120_000);

    it('ran alone on its last chance', async () => {
      const { table } = await on(name);
      const fences = (await table.begun()).filter(({ id }) => id === POISON).map(({ fence }) => fence);
      const last = Math.max(...fences);
      expect(fences).toHaveLength(DEATHS);
      expect(
        (await table.begun())
          .filter(({ fence }) => fence === last)
          .map(({ id }) => id)
          .at(-1),
      ).toBe(POISON);
    }, 120_000);
  });
});
