import {
  context as contexts,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  trace,
  type Attributes,
  type Context,
  type Link,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import type {
  AttemptConclusion,
  AttemptFacts,
  EnqueueFacts,
  EnqueueObservation,
  JobInstrument,
  JobObservation,
  StepConclusion,
  StepFacts,
} from '../../instrumentation/job-instrument.js';
import type { TelemetryScope } from '../telemetry-scope.js';
import * as names from './attributes.js';
import { baseAttributes } from './base-attributes.js';
import { AttemptSpan, EnqueueSpan, StepSpan } from './job-spans.js';
import { readTraceparent } from './traceparent.js';

/**
 * Spans of jobs, by the conventions of messaging:
 *
 *     whatever is active ──► enqueue (producer) ──► process (consumer), one for each attempt ──► step
 *                               └─ its context is the job's trace id, and so the parent of each
 */
export class JobTracer implements JobInstrument {
  constructor(
    private readonly tracer: Tracer,
    private readonly scope: TelemetryScope,
  ) {}

  /** A trace context that the application has given the job stays what it is: attempts go on from there. */
  enqueue(facts: EnqueueFacts): EnqueueObservation {
    const { type, count, schedule } = facts;
    const given = readTraceparent(facts.traceId);
    const attributes = this.enqueueing(type);
    if (count > 1) attributes[names.BATCH_COUNT] = count;
    if (schedule !== undefined) attributes[names.SCHEDULE] = schedule.name;
    if (facts.traceId !== undefined && given === undefined) attributes[names.TRACE_ID] = facts.traceId;
    const kind = given === undefined ? SpanKind.PRODUCER : SpanKind.CLIENT;
    const parent = parentOf(given, schedule);
    const span = this.tracer.startSpan(`enqueue ${type}`, { kind, attributes, links: linksTo(given) }, parent);
    return new EnqueueSpan(span, trace.setSpan(parent, span));
  }

  /** Whatever is active where jobs are started is none of theirs: a poll, or a request that has woken it. */
  attempt(facts: AttemptFacts): JobObservation<AttemptConclusion> {
    const { type, traceId } = facts;
    const created = readTraceparent(traceId);
    const attributes = this.processing(facts);
    if (traceId !== undefined && created === undefined) attributes[names.TRACE_ID] = traceId;
    const parent = created === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, created);
    const options = { kind: SpanKind.CONSUMER, attributes, links: linksTo(created) };
    const span = this.tracer.startSpan(`process ${type}`, options, parent);
    return new AttemptSpan(span, trace.setSpan(parent, span));
  }

  /** Names of `job.step()` may have ids in them: there the span has that of its job. */
  step({ id, type, name, kind, attempt }: StepFacts): JobObservation<StepConclusion> {
    const parent = contexts.active();
    const attributes: Attributes = {
      ...baseAttributes(this.scope),
      [names.DESTINATION]: type,
      [names.MESSAGE_ID]: id,
      [names.STEP_NAME]: name,
      [names.STEP_KIND]: kind,
      [names.STEP_ATTEMPT]: attempt,
    };
    const span = this.tracer.startSpan(`step ${kind === 'call' ? type : name}`, { attributes }, parent);
    return new StepSpan(span, trace.setSpan(parent, span));
  }

  /** One is made for each attempt: an object of known keys costs a fraction of one that is put together. */
  private processing({ id, type, attempt }: AttemptFacts): Attributes {
    const { service, queue, node } = this.scope;
    const attributes: Attributes = {
      'messaging.system': names.SYSTEM_NAME,
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': type,
      'messaging.message.id': id,
      'messaging.client.id': node,
      'persistent_queue.service': service,
      'persistent_queue.attempt': attempt,
    };
    if (queue !== undefined) attributes[names.QUEUE] = queue;
    return attributes;
  }

  private enqueueing(type: string): Attributes {
    return {
      ...baseAttributes(this.scope),
      [names.OPERATION_NAME]: 'enqueue',
      [names.OPERATION_TYPE]: 'send',
      [names.DESTINATION]: type,
      [names.CLIENT]: this.scope.node,
    };
  }
}

/** Of what a schedule makes by itself nothing around it is the cause. */
function parentOf(given: SpanContext | undefined, schedule: EnqueueFacts['schedule']): Context {
  if (schedule?.manual === false) return ROOT_CONTEXT;
  const active = contexts.active();
  const around = trace.getSpanContext(active);
  if (given === undefined || (around !== undefined && isSpanContextValid(around))) return active;
  return trace.setSpanContext(active, given);
}

function linksTo(created: SpanContext | undefined): Link[] {
  return created === undefined ? [] : [{ context: created }];
}
