import type { Attributes, BatchObservableCallback, Meter, Observable } from '@opentelemetry/api';
import { QUANTITIES, type Label, type Quantity } from '../quantities.js';
import type { TelemetryScope } from '../telemetry-scope.js';
import * as names from './attributes.js';
import { baseAttributes } from './base-attributes.js';

const ATTRIBUTES: { readonly [Name in Label]: string } = {
  type: names.DESTINATION,
  state: names.STATE,
  reason: names.REASON,
};

/** Where the conventions want to know of what. */
const OPERATIONS: Record<string, Attributes> = {
  'messaging.client.sent.messages': { [names.OPERATION_NAME]: 'enqueue' },
  'messaging.client.consumed.messages': { [names.OPERATION_NAME]: 'process' },
};

/**
 * Numbers by OpenTelemetry. Counters too are only observed when they are collected: to add to one for each job costs more than all that
 * is known of the job already.
 */
export class JobMetrics {
  private readonly observables: ReadonlyMap<Quantity, Observable>;
  private readonly observe: BatchObservableCallback;

  constructor(
    private readonly meter: Meter,
    scope: TelemetryScope,
  ) {
    this.observables = new Map(QUANTITIES.map((quantity) => [quantity, observableOf(meter, quantity)]));
    const base = baseAttributes(scope);
    this.observe = async (result) => {
      for (const [quantity, samples] of await scope.samples())
        for (const { value, labels } of samples) {
          const attributes = { ...base, ...OPERATIONS[quantity.name], ...attributesOf(labels) };
          result.observe(this.observables.get(quantity) as Observable, value, attributes);
        }
    };
    meter.addBatchObservableCallback(this.observe, [...this.observables.values()]);
  }

  stop(): void {
    this.meter.removeBatchObservableCallback(this.observe, [...this.observables.values()]);
  }
}

function observableOf(meter: Meter, { name, kind, unit, help }: Quantity): Observable {
  const options = { unit, description: help };
  return kind === 'counter' ? meter.createObservableCounter(name, options) : meter.createObservableGauge(name, options);
}

function attributesOf(labels: { readonly [Name in Label]?: string }): Attributes {
  return Object.fromEntries(Object.entries(labels).map(([label, value]) => [ATTRIBUTES[label as Label], value]));
}
