import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DynamicModule, Type } from '@nestjs/common';
import type { EntityManager, QueryRunner } from 'typeorm';
import { InvalidJobError } from '../../lib/errors/invalid-job.error.js';
import { NestedTransactionError } from '../../lib/errors/nested-transaction.error.js';
import { TransactionUnusableError } from '../../lib/errors/transaction-unusable.error.js';
import type { JobContext } from '../../lib/job/job-context.js';
import { handler, startApp, type AppFixture } from './app-fixture.js';
import { databases, type TestSchema } from './databases.js';
import { deferred } from './wait-until.js';

type Work<T = unknown> = () => Promise<T>;

/** Each method calls `work` in the transaction that its decorator says. */
export interface Transactions {
  required<T>(work: Work<T>): Promise<T>;
  requiresNew<T>(work: Work<T>): Promise<T>;
  nested<T>(work: Work<T>): Promise<T>;
  notSupported<T>(work: Work<T>): Promise<T>;
  /** On another DataSource of the application. */
  elsewhere<T>(work: Work<T>): Promise<T>;
  /** What the application's own code writes through. */
  readonly manager: EntityManager;
}

export interface Library {
  readonly name: string;
  readonly transactions: Type<Transactions>;
  /** A DataSource for the queue and one named `other`, on the two databases. */
  modules(own: TestSchema, other: TestSchema): DynamicModule[];
  close(): void;
}

/** What holds for every library that keeps a transaction for the code inside of it. */
export function ambientContract(library: Library): void {
  describe.each(databases())(`an enqueue inside a transaction of ${library.name} on $name`, (database) => {
    const isSqlite = database.name === 'sqlite';
    // TypeORM has one SQLite connection: a second transaction is a savepoint in the first.
    const onServers = isSqlite ? it.skip : it;
    let schema: TestSchema;
    let other: TestSchema;
    let app: AppFixture;
    let shop: Transactions;
    let work: (job: JobContext) => Promise<unknown>;
    let services = 0;

    beforeAll(async () => {
      [schema, other] = await Promise.all([database.create(), database.create()]);
      await (await schema.connect()).query('CREATE TABLE purchase (id INT NOT NULL)');
    });
    beforeEach(async () => {
      work = async () => 'ran';
      const [typeorm, ...imports] = library.modules(schema, other);
      app = await startApp(schema, {
        ...(typeorm && { typeorm }),
        imports,
        providers: [library.transactions, handler('work', (_, job) => work(job)), handler('next', () => 'ran')],
        // Only a wake-up after the commit is as fast as these tests wait.
        queue: { serviceName: `service-${++services}`, poll: { min: 5, max: 25_000 } },
      });
      shop = app.app.get(library.transactions);
    });
    afterEach(async () => {
      await app.close();
      library.close();
    });
    afterAll(() => Promise.all([schema.drop(), other.drop()]));

    const enqueue = async (type = 'next') => (await app.queue.enqueue(type)).id;
    const buy = () => shop.manager.query(`INSERT INTO purchase (id) VALUES (${services})`);
    const purchases = async () => {
      const found: unknown[] = await app.dataSource.query(`SELECT id FROM purchase WHERE id = ${services}`);
      return found.length;
    };

    async function failAfter<T>(transaction: (work: Work) => Promise<unknown>, step: Work<T>): Promise<T> {
      let value: T | undefined;
      const failing = transaction(async () => {
        value = await step();
        throw new Error('changed my mind');
      });
      await expect(failing).rejects.toThrow('changed my mind');
      return value as T;
    }

    it('commits with it, and runs then', async () => {
      const id = await shop.required(async () => {
        await buy();
        const inside = await enqueue();
        expect(shop.manager.queryRunner?.isTransactionActive).toBe(true);
        if (!isSqlite) expect(await app.queue.get(inside)).toBeUndefined();
        return inside;
      });
      await app.waitFor(id, 'succeeded');
      expect(await purchases()).toBe(1);
    });

    it('is rolled back with it', async () => {
      const id = await failAfter(
        (step) => shop.required(step),
        async () => {
          await buy();
          return enqueue();
        },
      );
      expect(await app.queue.get(id)).toBeUndefined();
      expect(await purchases()).toBe(0);
    });

    it('is rolled back with the outer one that its method has joined', async () => {
      const id = await failAfter(
        (step) => shop.required(step),
        () => shop.required(() => enqueue()),
      );
      expect(await app.queue.get(id)).toBeUndefined();
    });

    onServers('is of the innermost of two', async () => {
      const before: string[] = [];
      const [inner, after] = await failAfter(
        (step) => shop.required(step),
        async () => {
          before.push(await enqueue());
          return [await shop.requiresNew(() => enqueue()), await enqueue()];
        },
      );
      await app.waitFor(inner ?? '', 'succeeded');
      for (const id of [...before, after]) expect(await app.queue.get(id ?? '')).toBeUndefined();
    });

    onServers('is rolled back with the inner one alone, whether that is a savepoint or not', async () => {
      const [inner, outer] = await shop.required(async () => {
        const gone = await failAfter(
          (step) => shop.nested(step),
          () => enqueue(),
        );
        return [gone, await enqueue()];
      });
      await app.waitFor(outer ?? '', 'succeeded');
      expect(await app.queue.get(inner ?? '')).toBeUndefined();
    });

    if (isSqlite) {
      it('is refused in a savepoint, which may be somebody else’s', async () => {
        const refused = shop.required(() => shop.nested(() => enqueue()));
        await expect(refused).rejects.toThrow(InvalidJobError);
        expect(await app.queue.counts()).toEqual([]);
      });
    }

    it('commits by itself with manager: null, where no transaction is wanted, and after the end', async () => {
      const late = deferred();
      const lately: Promise<string>[] = [];
      const [alone, outside] = await failAfter(
        (step) => shop.required(step),
        async () => {
          const ids = [(await app.queue.enqueue('next', null, { manager: null })).id];
          ids.push(await shop.notSupported(() => enqueue()));
          await shop.required(async () => lately.push(late.promise.then(() => enqueue())));
          return ids;
        },
      );
      late.resolve();
      for (const id of [alone, outside, ...(await Promise.all(lately)), await enqueue()]) {
        await app.waitFor(id ?? '', 'succeeded');
      }
    });

    onServers('does not mix with another one at the same time', async () => {
      const [first, second] = [deferred(), deferred()];
      const committed = shop.required(async () => {
        const ids = [await enqueue()];
        first.resolve();
        await second.promise;
        return [...ids, await enqueue()];
      });
      const rolledBack = failAfter(
        (step) => shop.required(step),
        async () => {
          await first.promise;
          const ids = [await enqueue()];
          second.resolve();
          return [...ids, await enqueue()];
        },
      );
      for (const id of await committed) await app.waitFor(id, 'succeeded');
      for (const id of await rolledBack) expect(await app.queue.get(id)).toBeUndefined();
    });

    it('works in a handler too', async () => {
      const ids: string[] = [];
      work = async () => {
        ids.push(await shop.required(() => enqueue()));
        ids.push(
          await failAfter(
            (step) => shop.required(step),
            () => enqueue(),
          ),
        );
      };
      await app.waitFor(await enqueue('work'), 'succeeded');
      await app.waitFor(ids[0] ?? '', 'succeeded');
      expect(await app.queue.get(ids[1] ?? '')).toBeUndefined();
    });

    it('leaves a handler that it wakes outside of the transaction', async () => {
      const ended = deferred<string>();
      work = async () => ended.resolve(await enqueue());
      const next = await failAfter(
        (step) => shop.required(step),
        async () => {
          await app.queue.enqueue('work', null, { manager: null });
          return ended.promise;
        },
      );
      await app.waitFor(next, 'succeeded');
    });

    it('that fails is not missing from what is committed, although its error is caught', async () => {
      const transaction = shop.required(async () => {
        await buy();
        await enqueue();
        const { queryRunner } = shop.manager;
        failOnce(queryRunner as QueryRunner);
        await expect(enqueue()).rejects.toThrow('out of luck');
      });
      await expect(transaction).rejects.toThrow(TransactionUnusableError);
      expect([await app.queue.counts(), await purchases()]).toEqual([[], 0]);
      await app.waitFor(await shop.required(() => enqueue()), 'succeeded');
    });

    it('and a jobQueue.transaction() are part of it', async () => {
      const id = await failAfter(
        (step) => shop.required(step),
        () => app.queue.transaction(() => enqueue()),
      );
      const transaction = shop.required(async () => {
        const caught = failAfter((step) => app.queue.transaction(step), buy);
        await caught;
      });
      await expect(transaction).rejects.toThrow(TransactionUnusableError);
      expect([await app.queue.get(id), await purchases()]).toEqual([undefined, 0]);
    });

    onServers('is of a transaction that is open inside of jobQueue.transaction()', async () => {
      const outer: string[] = [];
      const inner = await failAfter(
        (step) => app.queue.transaction(step),
        async () => {
          const id = await shop.required(() => enqueue());
          outer.push(await enqueue());
          return id;
        },
      );
      await app.waitFor(inner, 'succeeded');
      expect(await app.queue.get(outer[0] ?? '')).toBeUndefined();
    });

    it('does not let job.transaction() commit a job that the outer one may undo', async () => {
      const errors: unknown[] = [];
      work = async (job) => {
        await shop.required(() => job.transaction(buy)).catch((error: unknown) => errors.push(error));
        await job.transaction((manager) => manager.query(`INSERT INTO purchase (id) VALUES (${services})`));
      };
      await app.waitFor(await enqueue('work'), 'succeeded');
      expect(errors).toEqual([expect.any(NestedTransactionError)]);
      expect(await purchases()).toBe(1);
    });

    it('does not join one of another DataSource', async () => {
      const id = await failAfter(
        (step) => shop.elsewhere(step),
        () => enqueue(),
      );
      await app.waitFor(id, 'succeeded');
    });
  });
}

/** As when the server has run out of something: the statement alone has failed. */
function failOnce(runner: QueryRunner): void {
  const query = runner.query.bind(runner);
  runner.query = (async () => {
    runner.query = query;
    throw new Error('out of luck');
  }) as typeof query;
}
