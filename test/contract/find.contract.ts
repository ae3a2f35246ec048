import { describe, expect, it } from '@jest/globals';
import { InvalidOptionError } from '../../lib/errors/invalid-option.error.js';
import { PageTokenError } from '../../lib/errors/page-token.error.js';
import { UnknownOptionError } from '../../lib/errors/unknown-option.error.js';
import type { JobFilter } from '../../lib/job/job-filter.js';
import { defineJob } from '../../lib/queue/job-definition.js';
import type { JobQueue } from '../../lib/queue/job-queue.js';
import type { ContractContext } from './contract-context.js';

const many = (count: number) => Array.from({ length: count }, (_, n) => ({ payload: n }));

export function findContract(context: ContractContext): void {
  describe('find', () => {
    context.itWithSql('narrows by type, state, key, reference and time, and by all of them together', async () => {
      const { queue, sql, service } = await context.open();
      await (await context.open()).queue.enqueue('a', 'of another service', { key: 'k', reference: 'r' });
      const a = (await queue.enqueue('a', 1, { key: 'k', reference: 'r' })).id;
      const b = (await queue.enqueue('b', 2, { key: 'k', delay: '1h' })).id;
      const c = (await queue.enqueue('a', 3, { key: 'K', keyScope: 'open', reference: 'R' })).id;
      await queue.cancel(c);
      await sql('UPDATE pq_job SET created_at = id * 1000 WHERE service = ?', [service]);
      const at = (id: string, plus = 0) => new Date(Number(id) * 1_000 + plus);
      const cases: [JobFilter, string[]][] = [
        [{}, [c, b, a]],
        [{ type: 'a' }, [c, a]],
        [{ type: defineJob('b') }, [b]],
        [{ type: 'A' }, []],
        [{ state: 'waiting' }, [a]],
        [{ state: ['scheduled', 'cancelled'] }, [c, b]],
        [{ key: 'k' }, [b, a]],
        [{ key: 'K' }, [c]],
        [{ reference: 'r' }, [a]],
        [{ createdFrom: at(b) }, [c, b]],
        [{ createdUntil: at(b) }, [a]],
        [{ createdFrom: at(b), createdUntil: at(b, 1) }, [b]],
        [{ type: 'a', state: 'waiting', key: 'k', reference: 'r', createdUntil: at(b) }, [a]],
        [{ type: 'b', reference: 'r' }, []],
      ];
      for (const [filter, ids] of cases) expect([filter, await idsOf(queue, filter)]).toEqual([filter, ids]);
    });

    it('answers whole jobs', async () => {
      const { queue } = await context.open();
      const { id } = await queue.enqueue('a', { n: 1 }, { priority: 3, traceId: 'x' });
      const { jobs, next } = await queue.find({});
      expect(jobs).toEqual([await queue.get(id)]);
      expect(next).toBeUndefined();
    });

    it('gives pages that are complete and disjoint while jobs come in, end and go', async () => {
      const { queue } = await context.open();
      const expected = (await queue.enqueueMany('t', many(250))).map(({ id }) => id).toReversed();
      const seen: string[] = [];
      let after: string | undefined;
      do {
        const page = await queue.find({ type: 't' }, { limit: 40, ...(after === undefined ? {} : { after }) });
        expect(page.jobs.length).toBeLessThanOrEqual(40);
        seen.push(...page.jobs.map(({ id }) => id));
        after = page.next;
        await queue.enqueueMany('t', many(7));
        await queue.cancel(seen.at(-1) ?? '');
      } while (after !== undefined);
      expect(seen).toEqual(expected);
    });

    it('ends where the last page is exactly full', async () => {
      const { queue } = await context.open();
      await queue.enqueueMany('t', many(4));
      const first = await queue.find({}, { limit: 4 });
      const last = first.next === undefined ? undefined : await queue.find({}, { limit: 4, after: first.next });
      expect(last ?? { jobs: [], next: undefined }).toEqual({ jobs: [], next: undefined });
    });

    it('refuses a page token that it has not made for this filter', async () => {
      const { queue } = await context.open();
      await queue.enqueueMany('t', many(3));
      const { next = '' } = await queue.find({ type: 't' }, { limit: 2 });
      expect((await queue.find({ type: 't' }, { limit: 1, after: next })).jobs).toHaveLength(1);
      const others: JobFilter[] = [{}, { type: 'T' }, { type: 't', state: 'waiting' }, { key: 't' }];
      for (const filter of others) await expect(queue.find(filter, { after: next })).rejects.toThrow(PageTokenError);
      for (const after of ['', 'nonsense', `x${next}`, 5 as never])
        await expect(queue.find({ type: 't' }, { after })).rejects.toThrow(PageTokenError);
    });

    it.each<[string, object, object, new (...args: never[]) => Error, RegExp]>([
      ['an unknown field', { typ: 't' }, {}, UnknownOptionError, /'typ'.*Did you mean 'type'/],
      ['an unknown state', { state: 'done' }, {}, InvalidOptionError, /state.*'done'.*scheduled, waiting/],
      ['one bad state of two', { state: ['failed', 'Failed'] }, {}, InvalidOptionError, /'Failed'/],
      ['no state', { state: [] }, {}, InvalidOptionError, /state/],
      ['a type that is none', { type: '' }, {}, InvalidOptionError, /type/],
      ['an empty key', { key: '' }, {}, InvalidOptionError, /key/],
      ['a key that no job can have', { key: 'a\0b' }, {}, InvalidOptionError, /key.*NUL/],
      ['a reference that no job can have', { reference: 'a\0b' }, {}, InvalidOptionError, /reference.*NUL/],
      ['a number for a time', { createdFrom: 5 }, {}, InvalidOptionError, /createdFrom.*valid Date/],
      ['an invalid time', { createdUntil: new Date('x') }, {}, InvalidOptionError, /createdUntil/],
      ['a page of nothing', {}, { limit: 0 }, InvalidOptionError, /limit.*1 to 1000/],
      ['a page of everything', {}, { limit: 1_001 }, InvalidOptionError, /limit/],
      ['an unknown page option', {}, { offset: 3 }, UnknownOptionError, /'offset'/],
      ['null', null as never, {}, InvalidOptionError, /filter.*null/],
    ])('refuses %s', async (_, filter, options, error, message) => {
      const { queue } = await context.open();
      const finding = queue.find(filter, options);
      await expect(finding).rejects.toThrow(error);
      await expect(finding).rejects.toThrow(message);
    });
  });
}

async function idsOf(queue: JobQueue, filter: JobFilter): Promise<string[]> {
  return (await queue.find(filter)).jobs.map(({ id }) => id);
}
