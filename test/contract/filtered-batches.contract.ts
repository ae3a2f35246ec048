import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CheckedFilter } from '../../lib/job/job-filter.js';
import { resolveOptions } from '../../lib/options/resolve-options.js';
import { checkFilter } from '../../lib/queue/check-filter.js';
import type { ApplicationDataSource } from '../../lib/typeorm/application-data-source.js';
import type { Database } from '../../lib/typeorm/database.js';
import { removeBatch, retryBatch } from '../../lib/typeorm/filtered-batches.js';
import { QueueConnection, type Connected } from '../../lib/typeorm/queue-connection.js';
import { success, type QueueFixture } from '../support/queue-fixture.js';
import type { ContractContext } from './contract-context.js';

const DAY = 86_400_000;
const FAILED: CheckedFilter = checkFilter({ state: 'failed' });

/** What others do while a filter walks over the jobs. */
export function filteredBatchesContract(context: ContractContext): void {
  describe('a job that has been found by a filter, and changes before it is locked', () => {
    let fixture: QueueFixture;
    let connection: QueueConnection;
    beforeEach(async () => {
      fixture = await context.open();
      const application = { get: () => context.dataSource } as ApplicationDataSource;
      connection = new QueueConnection(application, resolveOptions({ serviceName: fixture.service }), fixture.events);
    });
    afterEach(() => connection.close());

    async function end(state: 'succeeded' | 'failed'): Promise<void> {
      const claimed = await fixture.claimOne(await fixture.registerNode(), 't');
      await fixture.repository.settle([success(claimed, { state, keep: DAY })], 'n');
    }

    async function failed(): Promise<string> {
      const { id } = await fixture.queue.enqueue('t');
      await end('failed');
      return id;
    }

    /** On another connection than the walk. */
    async function whenFound(change: () => Promise<unknown>): Promise<Connected> {
      const { database, tables } = await connection.get();
      const query: Database['query'] = async (statement) => {
        const found = await database.query(statement);
        await change();
        return found;
      };
      return { database: Object.assign(Object.create(database) as Database, { query }), tables };
    }

    it('is not removed when it has been retried, and has succeeded', async () => {
      const id = await failed();
      const connected = await whenFound(async () => {
        await fixture.queue.retry(id);
        await end('succeeded');
      });
      expect(await removeBatch(connected, FAILED, '0', 10)).toEqual({ removed: 0, last: undefined });
      expect((await fixture.queue.get(id))?.state).toBe('succeeded');
    });

    it.each([
      ['failed', FAILED],
      ['', checkFilter({})],
    ])('is not retried when somebody has cancelled it: of the states (%s)', async (_, filter) => {
      const id = await failed();
      const connected = await whenFound(async () => {
        await fixture.queue.retry(id);
        await fixture.queue.cancel(id);
      });
      expect(await retryBatch(connected, filter, '0', 10)).toEqual({ retried: 0, last: undefined });
      expect((await fixture.queue.get(id))?.state).toBe('cancelled');
    });

    it('is changed when it is as it was', async () => {
      await failed();
      const connected = await whenFound(() => fixture.queue.enqueue('t'));
      expect(await retryBatch(connected, FAILED, '0', 10)).toMatchObject({ retried: 1 });
    });
  });
}
