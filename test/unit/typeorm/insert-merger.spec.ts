import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import type { NewJob } from '../../../lib/job/job.js';
import { InsertMerger } from '../../../lib/typeorm/insert-merger.js';

describe('an INSERT of several callers’ jobs', () => {
  it('is in the async context of none of them', async () => {
    const current = new AsyncLocalStorage<string>();
    const contexts: unknown[] = [];
    const write = async (jobs: readonly NewJob[]) => {
      contexts.push(current.getStore());
      await Promise.resolve();
      return jobs.map((_, index) => ({ id: `${index}`, created: true }));
    };
    const merger = new InsertMerger(write, () => false);
    const enqueue = (caller: string) => current.run(caller, () => merger.insert({} as NewJob));
    const first = [enqueue('a'), enqueue('b')];
    await Promise.resolve();
    // While two are under way, those that come next wait for one of them to end.
    const second = [enqueue('c')];
    await Promise.resolve();
    const third = [enqueue('d'), enqueue('e')];
    await Promise.all([...first, ...second, ...third]);
    expect(contexts).toEqual(contexts.map(() => undefined));
    expect(contexts.length).toBeGreaterThan(1);
  });
});
