import { context as contexts, isSpanContextValid, SpanStatusCode, type Context, type Span } from '@opentelemetry/api';
import type {
  AttemptConclusion,
  EnqueueConclusion,
  EnqueueObservation,
  JobObservation,
  StepConclusion,
} from '../../instrumentation/job-instrument.js';
import type { RecordedError } from '../../support/serialise-error.js';
import * as names from './attributes.js';
import { writeTraceparent } from './traceparent.js';

abstract class ActiveSpan {
  constructor(
    protected readonly span: Span,
    private readonly context: Context,
  ) {}

  run(work: () => unknown): void {
    contexts.with(this.context, work);
  }
}

export class EnqueueSpan extends ActiveSpan implements EnqueueObservation {
  /** `undefined` without an SDK: then there is nothing to go on from. */
  get traceId(): string | undefined {
    const own = this.span.spanContext();
    return isSpanContextValid(own) ? writeTraceparent(own) : undefined;
  }

  /** Of no job either: there are processors that keep each span until it ends. */
  end(conclusion: EnqueueConclusion): void {
    const { span } = this;
    if ('error' in conclusion) fail(span, conclusion.error);
    else {
      const [job, ...others] = conclusion.jobs;
      if (job === undefined) span.setAttribute(names.BATCH_COUNT, 0).setAttribute(names.CREATED, false);
      else if (others.length === 0)
        span.setAttribute(names.MESSAGE_ID, job.id).setAttribute(names.CREATED, job.created);
    }
    span.end();
  }
}

export class AttemptSpan extends ActiveSpan implements JobObservation<AttemptConclusion> {
  end({ outcome, reason, error }: AttemptConclusion): void {
    const { span } = this;
    if (span.isRecording()) {
      span.setAttribute(names.OUTCOME, outcome);
      if (reason !== undefined) span.setAttribute(names.REASON, reason);
      if (outcome === 'failed' || outcome === 'retried') fail(span, error);
      // It has succeeded, and only its result could not be stored.
      else if (error !== undefined) span.recordException(exceptionOf(error));
    }
    span.end();
  }
}

export class StepSpan extends ActiveSpan implements JobObservation<StepConclusion> {
  end({ outcome, error }: StepConclusion): void {
    this.span.setAttribute(names.OUTCOME, outcome);
    if (outcome === 'failed') fail(this.span, error);
    this.span.end();
  }
}

function fail(span: Span, error: RecordedError | undefined): void {
  span.setAttribute(names.ERROR_TYPE, error?.name ?? '_OTHER');
  span.setStatus({ code: SpanStatusCode.ERROR, ...(error === undefined ? {} : { message: error.message }) });
  if (error !== undefined) span.recordException(exceptionOf(error));
}

function exceptionOf({ name, message, stack }: RecordedError): { name: string; message: string; stack?: string } {
  // The recorded stack has no first line any more.
  return { name, message, ...(stack === undefined ? {} : { stack: `${name}: ${message}\n${stack}` }) };
}
