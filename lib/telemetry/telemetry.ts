import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { Subscription } from 'rxjs';
import { InvalidOptionError } from '../errors/invalid-option.error.js';
import { QueueEvents } from '../events/queue-events.js';
import { QueueInspector } from '../inspection/queue-inspector.js';
import { JobInstrumentation } from '../instrumentation/job-instrumentation.js';
import { ResolvedOptions } from '../options/resolved-options.js';
import { scopedTokens } from '../persistent-queue.module.js';
import { JobQueue } from '../queue/job-queue.js';
import { loadPeer } from '../support/load-peer.js';
import { JobMeter } from './job-meter.js';
import { JobTally } from './job-tally.js';
import type { Part } from './part.js';
import { QueueReadings, type QueueReading } from './queue-readings.js';
import type { ResolvedTelemetryOptions } from './telemetry-options.js';
import { TelemetryScope } from './telemetry-scope.js';

export const TELEMETRY_OPTIONS = Symbol('TELEMETRY_OPTIONS');

const OPENTELEMETRY = '@opentelemetry/api';

/** Puts its instruments on before anything is enqueued or run, and takes them off when the last handler has ended. */
@Injectable()
export class Telemetry implements OnModuleInit, OnApplicationShutdown {
  private readonly stops: (() => void)[] = [];

  constructor(
    private readonly moduleRef: ModuleRef,
    @Inject(TELEMETRY_OPTIONS) private readonly options: ResolvedTelemetryOptions,
  ) {}

  /** What has failed to start leaves nothing behind in a register that others use as well. */
  async onModuleInit(): Promise<void> {
    try {
      await this.start();
    } catch (error) {
      this.onApplicationShutdown();
      throw error;
    }
  }

  /** The instruments, which began last, first. */
  onApplicationShutdown(): void {
    for (const stop of this.stops.splice(0).toReversed()) stop();
  }

  private async start(): Promise<void> {
    const scope = this.createScope();
    const parts = await this.startParts(scope);
    const recorders = parts.flatMap(({ recorder }) => recorder ?? []);
    const meter = recorders.length === 0 ? [] : [new JobMeter(scope.tally, recorders)];
    const instrumentation = this.find(JobInstrumentation);
    const instruments = [...parts.flatMap(({ instrument }) => instrument ?? []), ...meter];
    const subscription = this.listen(scope);
    this.stops.push(() => subscription.unsubscribe());
    for (const instrument of instruments) this.stops.push(instrumentation.use(instrument));
  }

  private createScope(): TelemetryScope {
    const { queue, database } = this.options;
    const events = this.find(QueueEvents);
    const onError = (error: unknown) => events.databaseError('reading the metrics of the queue', error);
    const readings = database ? new QueueReadings(() => this.read(), onError) : undefined;
    return new TelemetryScope(this.find(ResolvedOptions).serviceName, queue, new JobTally(), readings);
  }

  /** One after the other: a scrape is to take one connection, not all of them. */
  private async read(): Promise<QueueReading> {
    const inspector = this.find(QueueInspector);
    const counts = await this.find(JobQueue).counts();
    const oldestDue = await inspector.oldestDue();
    const nodes = await inspector.nodes();
    const pausedTypes = await inspector.pausedTypes();
    return { counts, oldestDue, nodes, pausedTypes, unhandledTypes: await inspector.unhandledTypes() };
  }

  private async startParts(scope: TelemetryScope): Promise<Part[]> {
    const { traces, metrics, prometheus } = this.options;
    const parts: Part[] = [];
    const add = (part: Part) => {
      parts.push(part);
      if (part.stop !== undefined) this.stops.push(part.stop);
    };
    if (traces !== undefined) {
      const load = () => import('./opentelemetry/start-traces.js');
      const { startTraces } = await loadPeer(OPENTELEMETRY, 'Telemetry with traces', load);
      add(startTraces(scope, traces.tracerProvider));
    }
    if (metrics !== undefined) {
      const load = () => import('./opentelemetry/start-metrics.js');
      const { startMetrics } = await loadPeer(OPENTELEMETRY, 'Telemetry with metrics', load);
      add(startMetrics(scope, metrics.meterProvider));
    }
    if (prometheus !== undefined) {
      const load = () => import('./prometheus/start-prometheus.js');
      const { startPrometheus } = await loadPeer('prom-client', 'Telemetry with prometheus', load);
      add(startPrometheus(scope, prometheus));
    }
    return parts;
  }

  private listen(scope: TelemetryScope): Subscription {
    return this.find(QueueEvents).events$.subscribe((event) => {
      if (event.name === 'node.registered') scope.node = event.node;
      scope.tally.hear(event);
    });
  }

  /** Of the module with the name: wherever it was imported. */
  private find<T>(token: Type<T> | (abstract new (...args: never[]) => T)): T {
    const { queue } = this.options;
    const own = queue === undefined ? token : scopedTokens(queue).get(token as Type<T>);
    try {
      return this.moduleRef.get<T>(own as Type<T>, { strict: false });
    } catch (error) {
      const cure = `Import PersistentQueueModule.forRoot(${queue === undefined ? '' : `{ name: '${queue}' }`}) too.`;
      const mistake = new InvalidOptionError('PersistentQueueTelemetryModule.forRoot().queue', queue, cure);
      throw Object.assign(mistake, { cause: error });
    }
  }
}
