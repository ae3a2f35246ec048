import { describe, expect, it, jest } from '@jest/globals';
import { QueueReadings, type QueueReading } from '../../../lib/telemetry/queue-readings.js';
import { deferred } from '../../support/wait-until.js';

const READING: QueueReading = { counts: [], oldestDue: [], nodes: [], pausedTypes: [], unhandledTypes: [] };

const fail = (error: unknown): never => {
  throw error;
};

describe('readings of the database', () => {
  const clock = () => jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] });

  it('are shared by all who ask at once, and kept for 5 s', async () => {
    const time = clock();
    const read = jest.fn(() => Promise.resolve(READING));
    const readings = new QueueReadings(read, () => undefined);
    expect(await Promise.all([readings.latest(), readings.latest()])).toEqual([READING, READING]);
    time.advanceTimersByTime(4_999);
    await readings.latest();
    expect(read).toHaveBeenCalledTimes(1);
    time.advanceTimersByTime(1);
    await readings.latest();
    expect(read).toHaveBeenCalledTimes(2);
    time.useRealTimers();
  });

  it('that took long are kept for twenty times as long', async () => {
    const time = clock();
    const read = jest.fn(async () => {
      time.advanceTimersByTime(1_000);
      return READING;
    });
    const readings = new QueueReadings(read, () => undefined);
    await readings.latest();
    time.advanceTimersByTime(19_999);
    await readings.latest();
    expect(read).toHaveBeenCalledTimes(1);
    time.advanceTimersByTime(1);
    await readings.latest();
    expect(read).toHaveBeenCalledTimes(2);
    time.useRealTimers();
  });

  it('that fail are told of, and answered as none, not as the one before', async () => {
    const time = clock();
    const errors: unknown[] = [];
    const results = [Promise.resolve(READING), Promise.reject(new Error('away'))];
    const readings = new QueueReadings(
      () => results.shift() as Promise<QueueReading>,
      (error) => errors.push(error),
    );
    expect(await readings.latest()).toBe(READING);
    time.advanceTimersByTime(5_000);
    expect(await readings.latest()).toBeUndefined();
    expect(errors).toEqual([new Error('away')]);
    time.useRealTimers();
  });

  it('that are slow leave the last one standing, for a minute', async () => {
    const time = clock();
    const hanging = deferred<QueueReading>();
    const results = [Promise.resolve(READING), hanging.promise];
    const readings = new QueueReadings(() => results.shift() as Promise<QueueReading>, fail);
    await readings.latest();
    time.advanceTimersByTime(5_000);
    for (let waited = 4_000; waited < 60_000; waited += 4_000) {
      const asked = readings.latest();
      time.advanceTimersByTime(4_000);
      expect(await asked).toBe(READING);
    }
    const asked = readings.latest();
    time.advanceTimersByTime(4_000);
    expect(await asked).toBeUndefined();
    hanging.resolve({ ...READING });
    expect(await readings.latest()).toEqual(READING);
    time.useRealTimers();
  });

  it('are waited for no longer than 4 s, and there is only one of them however long it hangs', async () => {
    const time = clock();
    const hanging = deferred<QueueReading>();
    const read = jest.fn(() => hanging.promise);
    const readings = new QueueReadings(read, () => undefined);
    for (let n = 0; n < 3; n++) {
      const asked = readings.latest();
      time.advanceTimersByTime(4_000);
      // Not known yet: that is no database that is away.
      expect(await asked).toBeNull();
    }
    time.advanceTimersByTime(44_000);
    const asked = readings.latest();
    time.advanceTimersByTime(4_000);
    expect(await asked).toBeUndefined();
    expect(read).toHaveBeenCalledTimes(1);
    hanging.resolve(READING);
    expect(await readings.latest()).toBe(READING);
    time.useRealTimers();
  });
});
