import { createRequire } from 'node:module';

/** What stands around the jobs of an application, by the variant of the measure. */
export const TELEMETRY = {
  none: () => [],
  // An application that traces its requests, and not its jobs.
  sdk: () => {
    startSdk();
    return [];
  },
  traces: async () => [await moduleWith({ traces: { tracerProvider: startSdk().tracerProvider } })],
  metrics: async () => [await moduleWith({ metrics: { meterProvider: startSdk().meterProvider } })],
  both: () => both(1),
  // As an application has it that runs so many jobs: of ten traces one is kept.
  sampled: () => both(0.1),
  prometheus: async () => [await moduleWith({ prometheus: true })],
};

const METRICS_EVERY = 2_000;
/** What a collector would be sent costs another process. */
const NOWHERE = {
  export: (_, done) => done({ code: 0 }),
  forceFlush: async () => undefined,
  shutdown: async () => undefined,
};
/** Of the package around this one. */
const require = createRequire(new URL('../../package.json', import.meta.url));

async function both(ratio) {
  const { tracerProvider, meterProvider } = startSdk(ratio);
  return [await moduleWith({ traces: { tracerProvider }, metrics: { meterProvider } })];
}

function startSdk(ratio = 1) {
  const { context } = require('@opentelemetry/api');
  const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks');
  const trace = require('@opentelemetry/sdk-trace-base');
  const { MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics');
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  // What every request of an application with traces has done before: from then on each promise pays for it.
  context.with(context.active(), () => undefined);
  const reader = new PeriodicExportingMetricReader({ exporter: NOWHERE, exportIntervalMillis: METRICS_EVERY });
  return {
    tracerProvider: new trace.BasicTracerProvider({
      sampler: new trace.ParentBasedSampler({ root: new trace.TraceIdRatioBasedSampler(ratio) }),
      spanProcessors: [new trace.BatchSpanProcessor(NOWHERE)],
    }),
    meterProvider: new MeterProvider({ readers: [reader] }),
  };
}

async function moduleWith(options) {
  const { PersistentQueueTelemetryModule } = await import('../../dist/telemetry/index.js');
  return PersistentQueueTelemetryModule.forRoot(options);
}
