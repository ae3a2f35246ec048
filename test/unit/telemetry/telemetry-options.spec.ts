import { describe, expect, it } from '@jest/globals';
import { loadPeer } from '../../../lib/support/load-peer.js';
import { PersistentQueueTelemetryModule, type PersistentQueueTelemetryOptions } from '../../../lib/telemetry/index.js';

const forRoot = (options: unknown) => () =>
  PersistentQueueTelemetryModule.forRoot(options as PersistentQueueTelemetryOptions);

describe('options of telemetry', () => {
  it.each<[given: unknown, message: RegExp]>([
    [{}, /Give at least one of traces: true, metrics: true and prometheus: true/],
    [{ traces: false }, /Give at least one/],
    [{ trace: true }, /trace.*traces/s],
    [{ traces: 'yes' }, /traces.*'yes'.*Give true, false or an object of tracerProvider/s],
    [{ traces: { provider: {} } }, /provider.*tracerProvider/s],
    [{ traces: { tracerProvider: {} } }, /traces\.tracerProvider.*getTracer\(\)/s],
    [{ metrics: { meterProvider: 1 } }, /metrics\.meterProvider.*getMeter\(\)/s],
    [{ prometheus: { register: {} } }, /prometheus\.register.*registerMetric\(\)/s],
    [{ prometheus: { prefix: '1st' } }, /prometheus\.prefix.*'1st'/s],
    [{ prometheus: { buckets: [1, 1] } }, /prometheus\.buckets.*each larger/s],
    [{ prometheus: { buckets: [] } }, /prometheus\.buckets/],
    [{ traces: true, database: 1 }, /database.*Give true or false/s],
    [{ traces: true, queue: '' }, /queue/],
  ])('%j are refused', (given, message) => {
    expect(forRoot(given)).toThrow(message);
  });

  it('of any one part are enough', () => {
    for (const options of [{ traces: true }, { metrics: {} }, { prometheus: { buckets: [0.1, 1] } }])
      expect(forRoot(options)).not.toThrow();
  });
});

describe('a package that is not installed', () => {
  const notFound = (name: string) =>
    Object.assign(new Error(`Cannot find package '${name}' imported from /app`), { code: 'ERR_MODULE_NOT_FOUND' });

  it('is named, with what to install', async () => {
    await expect(loadPeer('prom-client', 'Telemetry', () => Promise.reject(notFound('prom-client')))).rejects.toThrow(
      "Telemetry needs a package that is not installed (got 'prom-client'). Install it: npm install prom-client",
    );
  });

  it('is not taken for one that it needs itself', async () => {
    const missing = notFound('tdigest');
    await expect(loadPeer('prom-client', 'Telemetry', () => Promise.reject(missing))).rejects.toBe(missing);
  });
});
