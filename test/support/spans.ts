import { context, propagation, SpanKind, trace, ROOT_CONTEXT } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import type { NextFunction, Request, Response } from 'express';
import { afterAll, beforeAll } from '@jest/globals';

/** What one process would export. */
export class ProcessSpans {
  private readonly exporter = new InMemorySpanExporter();
  readonly tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.exporter)] });

  get all(): ReadableSpan[] {
    return this.exporter.getFinishedSpans();
  }

  /** Those that have ended, in their order. */
  named(name: string): ReadableSpan[] {
    return this.all.filter((span) => span.name === name);
  }

  /** The only one. */
  one(name: string): ReadableSpan {
    const [span, ...others] = this.named(name);
    if (span === undefined || others.length > 0)
      throw new Error(
        `There are ${this.named(name).length} spans '${name}' among ${this.all.map((each) => each.name).join()}`,
      );
    return span;
  }
}

/** As an SDK does it: what is active is known across awaits. */
export function withContexts(): void {
  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  });
  afterAll(() => {
    context.disable();
    propagation.disable();
  });
}

/** A server span around each request, as an instrumentation of HTTP has it. */
export function traceRequests({ tracerProvider }: ProcessSpans) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const caller = propagation.extract(ROOT_CONTEXT, request.headers);
    const name = `${request.method} ${request.path}`;
    const span = tracerProvider.getTracer('http').startSpan(name, { kind: SpanKind.SERVER }, caller);
    response.on('finish', () => span.end());
    context.with(trace.setSpan(caller, span), next);
  };
}
