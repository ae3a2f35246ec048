import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SharedAnswer } from '../../../lib/dashboard/board/shared-answer.js';
import { deferred } from '../../support/wait-until.js';

const atOnce = <T>(read: () => Promise<T>): Promise<T> => read();

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
    const shared = new SharedAnswer(ask, atOnce);
    expect(await Promise.all([shared.get(), shared.get(), shared.get()])).toEqual([1, 1, 1]);
    jest.advanceTimersByTime(1_999);
    expect(await shared.get()).toBe(1);
    jest.advanceTimersByTime(2);
    expect(await shared.get()).toBe(2);
  });

  it('rests for 20 times as long as it took, so that a large table is read for 5 % of the time at most', async () => {
    const shared = new SharedAnswer(ask, atOnce, 20);
    takes = 3_000;
    await shared.get();
    jest.advanceTimersByTime(59_000);
    shared.outdate();
    expect(await shared.get()).toBe(1);
    jest.advanceTimersByTime(1_001);
    takes = 10;
    expect(await shared.get()).toBe(2);
  });

  it('is the last one for those who have waited for half a second while it is asked for again', async () => {
    const under = deferred();
    const answers = [Promise.resolve('first'), under.promise.then(() => 'second')];
    const shared = new SharedAnswer(() => answers.shift() as Promise<string>, atOnce);
    expect(await shared.get()).toBe('first');
    jest.advanceTimersByTime(2_001);
    const [one, another] = [shared.get(), shared.get()];
    await jest.advanceTimersByTimeAsync(501);
    expect(await Promise.all([one, another])).toEqual(['first', 'first']);
    const patient = shared.get();
    under.resolve();
    expect(await patient).toBe('second');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('does not count what it waits for its turn as what it costs', async () => {
    const turn = deferred();
    const shared = new SharedAnswer(ask, async (read) => turn.promise.then(read), 20);
    const first = shared.get();
    jest.advanceTimersByTime(60_000);
    turn.resolve();
    expect(await first).toBe(1);
    jest.advanceTimersByTime(2_001);
    expect(await shared.get()).toBe(2);
  });

  it('is asked for again after a change, also after one that came while it was under way', async () => {
    const shared = new SharedAnswer(ask, atOnce, 20);
    await shared.get();
    shared.outdate();
    jest.advanceTimersByTime(200);
    const second = shared.get();
    shared.outdate();
    expect(await second).toBe(2);
    jest.advanceTimersByTime(200);
    expect(await shared.get()).toBe(3);
  });

  it('rests after a failure too, which whoever asks meanwhile is told', async () => {
    let isGone = true;
    const shared = new SharedAnswer(
      async () => {
        await ask();
        if (isGone) throw new Error('the database is gone');
        return 'here';
      },
      atOnce,
      20,
    );
    takes = 3_000;
    await expect(shared.get()).rejects.toThrow('the database is gone');
    isGone = false;
    takes = 10;
    jest.advanceTimersByTime(59_000);
    await expect(shared.get()).rejects.toThrow('the database is gone');
    expect(asked).toBe(1);
    jest.advanceTimersByTime(1_001);
    expect(await shared.get()).toBe('here');
  });
});
