import { describe, expect, it } from '@jest/globals';
import { concurrencyKeyFault, concurrencyKeyOf, type KeySource } from '../../lib/job/concurrency-key.js';

describe('the answer of a concurrencyKey.from', () => {
  it.each([['a'], ['  '], [7], [''], [null], [undefined]])('may be %j', (answer) => {
    expect(concurrencyKeyFault(answer)).toBeUndefined();
  });

  it('is no single space, which stands for jobs without a key', () => {
    expect(concurrencyKeyFault(' ')).toContain('Answer nothing');
  });

  it('is no promise, not even one that is rejected, which would end the process', async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', listener);
    const from = () => Promise.reject(new Error('no key'));
    expect(concurrencyKeyFault(from())).toContain('not with a promise');
    expect(concurrencyKeyOf(from as unknown as KeySource, '{}')).toBe(' ');
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', listener);
    expect(unhandled).toEqual([]);
  });
});
