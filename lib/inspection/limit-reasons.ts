import type { HandledLimits, HandledType } from '../job/handled-type.js';
import type { JobSituation, SlotKind, TakenSlot } from '../repository/inspection-repository.js';
import type { HoldReason } from './job-explanation.js';

/** Which limits of the cluster hold it back: those that do for every handler of its type, because the limits of nodes differ while one is changed. */
export function limitReasonsOf(situation: JobSituation, handlers: readonly HandledType[]): HoldReason[] {
  if (handlers.length === 0) return [];
  const limits = handlers.map((handler): HandledLimits => handler.limits ?? {});
  return [...globalOf(situation, limits), ...keyOf(situation, limits), ...rateOf(situation, limits)];
}

function globalOf({ slots }: JobSituation, limits: readonly HandledLimits[]): HoldReason[] {
  const limit = largest(limits.map(({ concurrency }) => concurrency));
  const running = countOf(slots, 'type');
  return running < limit ? [] : [{ reason: 'global-concurrency-full', running, limit }];
}

function keyOf({ job, filed, ahead, slots }: JobSituation, limits: readonly HandledLimits[]): HoldReason[] {
  const limit = largest(limits.map(({ perKey }) => perKey));
  if (!filed && limit < Infinity) return [{ reason: 'key-not-known', ahead }];
  const running = countOf(slots, 'key');
  return running < limit ? [] : [{ reason: 'concurrency-key-full', key: job.concurrencyKey, running, limit }];
}

/** Of several handlers, as the first of them may begin. */
function rateOf({ slots }: JobSituation, limits: readonly HandledLimits[]): HoldReason[] {
  const full = limits.map(({ rate }) => (rate === undefined ? undefined : fullRate(slots, rate)));
  const [first, ...others] = full.filter((each) => each !== undefined);
  if (first === undefined || full.includes(undefined)) return [];
  return [others.reduce((best, each) => (each.until < best.until ? each : best), first)];
}

function fullRate(
  slots: readonly TakenSlot[],
  { max, per }: NonNullable<HandledLimits['rate']>,
): Extract<HoldReason, { reason: 'rate-limited' }> | undefined {
  const taken = slots.filter(({ kind, age }) => kind === 'rate' && age < per);
  if (taken.length < max) return undefined;
  const times = taken.map(({ takenAt }) => takenAt.getTime()).sort((a, b) => a - b);
  const last = times[times.length - max] ?? 0;
  return { reason: 'rate-limited', max, per, until: new Date(last + per) };
}

/** `Infinity`: one of them has none. */
function largest(limits: readonly (number | undefined)[]): number {
  return Math.max(...limits.map((limit) => limit ?? Infinity));
}

/** Those above a lowered limit too. */
function countOf(slots: readonly TakenSlot[], kind: SlotKind): number {
  return slots.filter((slot) => slot.kind === kind).length;
}
