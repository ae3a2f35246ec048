import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SharedAnswer } from '../../../lib/dashboard/board/shared-answer.js';

describe('an answer that is shared', () => {
  let asked = 0;
  let takes = 10;
  const ask = async () => {
    const turn = ++asked;
    await jest.advanceTimersByTimeAsync(takes);
    return turn;
  };

  beforeEach(() => {
    jest.useFakeTimers();
    asked = 0;
    takes = 10;
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('is asked for once by all who come while it is under way, and for 2 s', async () => {
    const shared = new SharedAnswer(ask);
    expect(await Promise.all([shared.get(), shared.get(), shared.get()])).toEqual([1, 1, 1]);
    jest.advanceTimersByTime(1_999);
    expect(await shared.get()).toBe(1);
    jest.advanceTimersByTime(2);
    expect(await shared.get()).toBe(2);
  });

  it('rests for 20 times as long as it took, so that a large table is read for 5 % of the time at most', async () => {
    const shared = new SharedAnswer(ask, 20);
    takes = 3_000;
    await shared.get();
    jest.advanceTimersByTime(59_000);
    shared.outdate();
    expect(await shared.get()).toBe(1);
    jest.advanceTimersByTime(1_001);
    expect(await shared.get()).toBe(2);
  });

  it('is asked for again after a change, also after one that came while it was under way', async () => {
    const shared = new SharedAnswer(ask, 20);
    await shared.get();
    shared.outdate();
    jest.advanceTimersByTime(200);
    const second = shared.get();
    shared.outdate();
    expect(await second).toBe(2);
    jest.advanceTimersByTime(200);
    expect(await shared.get()).toBe(3);
  });

  it('is not kept when it failed', async () => {
    const answers = [() => Promise.reject(new Error('the database is gone')), () => Promise.resolve('here')];
    const shared = new SharedAnswer(() => (answers.shift() as () => Promise<string>)());
    await expect(shared.get()).rejects.toThrow('the database is gone');
    expect(await shared.get()).toBe('here');
  });
});
