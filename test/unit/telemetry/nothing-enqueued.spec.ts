import { describe, expect, it, jest } from '@jest/globals';
import { JobMeter, type DurationRecorder } from '../../../lib/telemetry/job-meter.js';
import { JobTally } from '../../../lib/telemetry/job-tally.js';
import { JobTracer } from '../../../lib/telemetry/opentelemetry/job-tracer.js';
import { TelemetryScope } from '../../../lib/telemetry/telemetry-scope.js';
import { ProcessSpans } from '../../support/spans.js';

const FIRING = { type: 't', count: 1, traceId: undefined, schedule: { name: 'nightly', manual: false } };

describe('a firing that makes no job, because another node has or one before it runs', () => {
  it('is neither counted nor timed', () => {
    const tally = new JobTally();
    const recorder = { enqueued: jest.fn(), waited: jest.fn(), attempted: jest.fn() } satisfies DurationRecorder;
    new JobMeter(tally, [recorder]).enqueue(FIRING).end?.({ jobs: [] });
    expect([...tally.entries()]).toEqual([]);
    expect(recorder.enqueued).not.toHaveBeenCalled();
  });

  it('has a span that ends, and says so', () => {
    const spans = new ProcessSpans();
    const scope = new TelemetryScope('shop', undefined, new JobTally(), undefined);
    const tracer = new JobTracer(spans.tracerProvider.getTracer('test'), scope);
    tracer.enqueue(FIRING).end?.({ jobs: [] });
    expect(spans.one('enqueue t').attributes).toMatchObject({
      'messaging.batch.message_count': 0,
      'persistent_queue.created': false,
    });
  });
});
