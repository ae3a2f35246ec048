import type { Metric, Registry } from 'prom-client';
import { InvalidOptionError } from '../../errors/invalid-option.error.js';

/** A metric that several queues, also of several applications, have in one register. */
export interface Shared<Member> {
  readonly members: Set<Member>;
}

/**
 * Joins the metric of this name, which the first one makes. Answers it, and how to leave: the last one takes it out of the register.
 *
 * @throws InvalidOptionError for a name that somebody else has.
 */
export function join<Member, M extends Metric & Shared<Member>>(
  register: Registry,
  name: string,
  member: Member,
  make: () => M,
  isOurs: (metric: unknown) => metric is M,
): { readonly metric: M; readonly leave: () => void } {
  const found: unknown = register.getSingleMetric(name);
  if (found !== undefined && !isOurs(found)) {
    const cure = 'The register has a metric of this name that is not ours: give another prefix or another register.';
    throw new InvalidOptionError('PersistentQueueTelemetryModule.forRoot().prometheus.prefix', name, cure);
  }
  const metric = found ?? make();
  metric.members.add(member);
  const leave = () => {
    metric.members.delete(member);
    if (metric.members.size === 0 && register.getSingleMetric(name) === metric) register.removeSingleMetric(name);
  };
  return { metric, leave };
}
