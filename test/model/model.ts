import type { Acknowledgement, AcknowledgementRefusal, AcknowledgeRequest } from '../../lib/job/acknowledgement.js';
import type { JobChange } from '../../lib/job/job-change.js';
import type { JobLevel, JobToken, KeyScope } from '../../lib/job/job.js';
import type { Settlement } from '../../lib/job/settlement.js';
import type { ClaimRequest, RescuedJob } from '../../lib/repository/job-repository.js';
import {
  ENDED,
  HOUR,
  KEEP_FAILED,
  KEEP_HISTORY,
  KEEP_NODES,
  KEEP_SUCCEEDED,
  LEASE,
  newJob,
  SOON,
  type ModelAttempt,
  type ModelClaim,
  type ModelJob,
  type ModelNode,
} from './model-state.js';

export interface EnqueueRequest {
  readonly payload: number;
  readonly priority: number;
  readonly delay: number;
  readonly key?: string | undefined;
  readonly keyScope?: KeyScope | undefined;
  readonly onConflict?: 'return' | 'error' | undefined;
}

/** What one service's tables must say: the promises of the repository without a database, as plainly as they can be put. */
export class Model {
  readonly jobs = new Map<string, ModelJob>();
  readonly nodes = new Map<string, ModelNode>();
  readonly attempts = new Map<string, ModelAttempt & { endedAt: number }>();
  readonly paused = new Set<string>();
  /** Every claim that was ever answered. */
  readonly claims: ModelClaim[] = [];
  /** Due times and expiries that only the database knows to the millisecond, until they have been read. */
  readonly estimates = new Set<`${string}:${'due' | 'expiresAt'}`>();

  /**
   * `recordsAgain`: where an UPDATE does not tell its rows, a claim that had been ended in the same state before gets a row of history,
   * if it has none (any more).
   */
  constructor(private readonly recordsAgain: boolean) {}

  // scheduled, waiting ← enqueue

  /** Whether a key is taken by a job with another payload, and its request does not put up with that. */
  refuses(type: string, requests: readonly EnqueueRequest[]): boolean {
    const payloads = new Map<string, string | null>();
    return requests.some(({ key, onConflict, payload }) => {
      if (key === undefined) return false;
      const taken = payloads.get(key) ?? this.holderOf(type, key)?.payload;
      if (taken !== undefined) return onConflict === 'error' && taken !== String(payload);
      payloads.set(key, String(payload));
      return false;
    });
  }

  /** `id`: what a job is called if it is new. Answers what the queue must answer. */
  enqueue(type: string, request: EnqueueRequest, id: string): { id: string; created: boolean } {
    const { payload, priority, delay, key = null, keyScope = 'row' } = request;
    const holder = key === null ? undefined : this.holderOf(type, key);
    if (holder !== undefined) return { id: holder.id, created: false };
    const state = delay > 0 ? 'scheduled' : 'waiting';
    this.add({ ...newJob(id, { type, payload: String(payload), state, due: 0 }), priority, key, keyScope }, delay);
    return { id, created: true };
  }

  add(job: ModelJob, delay: number): void {
    this.jobs.set(job.id, job);
    this.estimate(job, 'due', delay);
  }

  // scheduled → waiting

  promote(): number {
    const due = this.all(({ state, due: at }) => state === 'scheduled' && isOver(at));
    for (const job of due) {
      job.state = 'waiting';
      if (job.delivered) job.retries++;
    }
    return due.length;
  }

  // waiting → running

  /** Ids in the order of the claim, from the due time `from` on. */
  claimable({ node, type, priority, limit }: ClaimRequest, from = 0): string[] {
    if (this.nodes.get(node)?.state !== 'alive') return [];
    return this.all((job) => job.state === 'waiting' && job.type === type && job.priority === priority)
      .filter(({ due }) => due >= from && isOver(due))
      .sort((a, b) => a.due - b.due || Number(a.id) - Number(b.id))
      .slice(0, limit)
      .map(({ id }) => id);
  }

  /** The highest priority that a type has due jobs of. */
  readyLevel(type: string): JobLevel[] {
    const ready = this.all((job) => job.state === 'waiting' && job.type === type && isOver(job.due));
    return ready.length === 0 ? [] : [{ type, priority: Math.max(...ready.map(({ priority }) => priority)) }];
  }

  claim(ids: readonly string[], { node, deadline, maxCrashes, manual }: ClaimRequest): ModelJob[] {
    return ids.map((id) => {
      const job = this.job(id);
      const due = deadline === undefined ? null : job.due + deadline;
      const isManual = manual !== undefined;
      const change = {
        state: 'running',
        node,
        started: false,
        maxCrashes,
        manual: isManual,
        delivered: false,
      } as const;
      Object.assign(job, { ...change, fence: job.fence + 1, deadline: job.deadline ?? due });
      this.claims.push({ id, fence: job.fence, type: job.type, retries: job.retries, manual: isManual });
      return job;
    });
  }

  /** The rule that all else hangs on. */
  holds({ id, fence }: JobToken): boolean {
    const job = this.jobs.get(id);
    return job?.state === 'running' && job.fence === fence;
  }

  /** Of a manual handler, an end under its own claim is an acknowledgement: only another fence is a loss. */
  isLost(claim: JobToken & { readonly manual: boolean }, isAsItWouldBe: boolean): boolean {
    if (isAsItWouldBe) return false;
    const job = this.jobs.get(claim.id);
    return !claim.manual || (job !== undefined && job.fence !== claim.fence);
  }

  /** The job runs, but for a later claim. */
  isOvertaken({ id, fence }: JobToken): boolean {
    const job = this.jobs.get(id);
    return job?.state === 'running' && job.fence > fence;
  }

  start(tokens: readonly JobToken[]): string[] {
    for (const token of tokens) if (this.holds(token)) this.job(token.id).started = true;
    return tokens.filter((token) => !this.holds(token)).map(({ id }) => id);
  }

  // running → succeeded, failed, scheduled, waiting

  settle(settlements: readonly Settlement[], node: string): string[] {
    const ended = new Set<string>();
    for (const settlement of settlements) {
      if (!this.holds(settlement)) continue;
      this.end(settlement);
      ended.add(`${settlement.id}:${settlement.fence}`);
    }
    // Sent again, it finds the row as it would have left it: its answer is the same, and it changes nothing more.
    const stands = settlements.filter(
      ({ id, fence, state }) => this.jobs.get(id)?.fence === fence && this.jobs.get(id)?.state === state,
    );
    const lost = settlements.filter((settlement) => this.isLost(settlement, stands.includes(settlement)));
    for (const { id, fence, attempt } of stands) {
      if (attempt === undefined || !(this.recordsAgain || ended.has(`${id}:${fence}`))) continue;
      const { outcome, reason = null } = attempt;
      this.record({ id, fence, attempt: attempt.attempt, node, outcome, reason });
    }
    for (const { id, keep } of stands) if (keep === 0 && this.job(id).keyScope !== 'forever') this.jobs.delete(id);
    return lost.map(({ id }) => id);
  }

  private end({ id, state, delay, usesRetry, keep, attempt }: Settlement): void {
    const job = this.job(id);
    job.delivered = attempt?.outcome === 'delivered';
    if (delay !== undefined) this.estimate(job, 'due', delay);
    job.retries += usesRetry ? 1 : 0;
    this.leave(job, state, keep);
  }

  /** Of a running job: whatever comes next, nobody has it any more. */
  private leave(job: ModelJob, state: ModelJob['state'], keep: number | undefined): void {
    Object.assign(job, { state, node: null, started: false, finished: ENDED.includes(state) });
    if (keep === undefined) job.expiresAt = null;
    else this.estimate(job, 'expiresAt', keep);
    if (job.finished && job.keyScope === 'open') {
      job.pastKey = job.key;
      job.key = null;
    }
  }

  // delivered → succeeded, failed

  /** Answers what the queue must answer; `undefined`: there is no such job. */
  acknowledge(id: string, kind: AcknowledgeRequest['kind'], delivery: number | undefined): Acknowledgement | undefined {
    const job = this.jobs.get(id);
    if (job === undefined) return undefined;
    const reason = this.refusal(job, delivery);
    if (reason !== undefined) return { accepted: false, state: publicState(job), reason };
    if (kind === 'processing') this.rearm(job);
    else this.endAcknowledged(job, kind === 'finish' ? 'succeeded' : 'failed');
    return { accepted: true, state: publicState(job), reason };
  }

  private refusal(job: ModelJob, delivery: number | undefined): AcknowledgementRefusal | undefined {
    if (ENDED.includes(job.state)) return 'ended';
    if (job.state === 'running' && !job.manual) return 'not manual';
    if (job.state !== 'running' && !job.delivered) return 'not delivered';
    if (delivery === undefined || delivery === job.fence) return undefined;
    return delivery < job.fence ? 'delivered again' : 'not delivered';
  }

  private rearm(job: ModelJob): void {
    if (!job.delivered) return;
    if (job.state === 'waiting') job.retries--;
    job.state = 'scheduled';
    this.estimate(job, 'due', HOUR);
  }

  private endAcknowledged(job: ModelJob, state: 'succeeded' | 'failed'): void {
    this.recordLoss(job, state, state === 'failed' ? 'error' : null);
    this.leave(job, state, state === 'failed' ? KEEP_FAILED : KEEP_SUCCEEDED);
  }

  // running → waiting, failed: the node has died

  isOrphan({ state, node }: ModelJob): boolean {
    return state === 'running' && this.nodes.get(node ?? '')?.state !== 'alive';
  }

  findDead(): void {
    for (const node of this.nodes.values()) if (this.isSilent(node)) node.state = 'dead';
  }

  rescue(id: string): RescuedJob {
    const job = this.job(id);
    const { fence, type } = job;
    const blamed = job.suspect && job.started;
    job.crashes += blamed ? 1 : 0;
    const state = blamed && job.crashes >= job.maxCrashes ? 'failed' : 'waiting';
    if (job.started) this.recordLoss(job, state === 'failed' ? 'failed' : 'crashed', 'crash');
    this.leave(job, state, state === 'failed' ? KEEP_FAILED : undefined);
    Object.assign(job, { fence: fence + 1, suspect: true });
    return { id, fence, type, state };
  }

  // what an operator does

  /** Answers the name of the error that the queue must throw, or `undefined`. */
  change(id: string, change: JobChange): string | undefined {
    const job = this.jobs.get(id);
    if (job === undefined || isEmptied(job)) return 'JobNotFoundError';
    if (!this.allows(id, change)) return 'JobStateError';
    if (change === 'cancel') return this.cancel(job);
    if (change === 'runNow') return this.runNow(job);
    return this.isRivalled(job) ? 'KeyTakenError' : this.retry(job);
  }

  allows(id: string, change: JobChange): boolean {
    const state = this.jobs.get(id)?.state;
    const isOpen = state === 'waiting' || (state === 'scheduled' && (change === 'cancel' || !this.job(id).delivered));
    if (change === 'retry') return state === 'failed' || state === 'cancelled';
    return isOpen || (change === 'cancel' && state === 'running');
  }

  private cancel(job: ModelJob): undefined {
    if (job.started || job.delivered) this.recordLoss(job, 'failed', 'cancelled');
    this.leave(job, 'cancelled', KEEP_FAILED);
    job.fence++;
  }

  private runNow(job: ModelJob): undefined {
    job.state = 'waiting';
    if (!isOver(job.due)) this.estimate(job, 'due', 0);
  }

  private retry(job: ModelJob): undefined {
    const fresh = {
      retries: 0,
      crashes: 0,
      suspect: false,
      deadline: null,
      finished: false,
      delivered: false,
      expiresAt: null,
    };
    Object.assign(job, { ...fresh, state: 'waiting', key: job.key ?? job.pastKey, pastKey: null });
    this.estimate(job, 'due', 0);
  }

  /** Of those that match, the first few in the order of their ids. */
  retryBatch(type: string, states: readonly string[], limit: number): { retried: number; last: string | undefined } {
    const batch = this.all((job) => job.type === type && states.includes(job.state) && !isEmptied(job))
      .sort((a, b) => Number(a.id) - Number(b.id))
      .slice(0, limit);
    const retried = batch.filter((job) => this.change(job.id, 'retry') === undefined);
    return { retried: retried.length, last: batch.length < limit ? undefined : batch.at(-1)?.id };
  }

  /** The key it had has been given to another job since it ended. */
  private isRivalled({ type, pastKey }: ModelJob): boolean {
    return pastKey !== null && this.holderOf(type, pastKey) !== undefined;
  }

  // nodes

  isSilent({ state, expiresAt }: ModelNode): boolean {
    return state === 'alive' && isOver(expiresAt);
  }

  beat(id: string): boolean {
    const node = this.nodes.get(id);
    if (node?.state !== 'alive') return false;
    node.expiresAt = Date.now() + LEASE;
    return true;
  }

  unhandledTypes(): string[] {
    const alive = [...this.nodes.values()].filter((node) => node.state === 'alive' && !this.isSilent(node));
    const handled = new Set(alive.flatMap(({ types }) => types));
    const waiting = this.all(({ state, type }) => state === 'waiting' && !handled.has(type));
    return [...new Set(waiting.map(({ type }) => type))].sort();
  }

  // time

  /** All that has been written is older by so much; nodes that live have beaten meanwhile. */
  pass(time: number): void {
    for (const job of this.jobs.values()) {
      job.due -= time;
      if (job.deadline !== null) job.deadline -= time;
      if (job.expiresAt !== null) job.expiresAt -= time;
    }
    for (const attempt of this.attempts.values()) attempt.endedAt -= time;
    for (const node of this.nodes.values()) if (node.state !== 'alive') node.expiresAt -= time;
  }

  prune(): number {
    const jobs = this.all(({ expiresAt }) => expiresAt !== null && isOver(expiresAt));
    for (const job of jobs) {
      if (job.keyScope === 'forever') Object.assign(job, { payload: null, expiresAt: null });
      else this.jobs.delete(job.id);
    }
    const old = [...this.attempts].filter(([, { endedAt }]) => isOver(endedAt + KEEP_HISTORY));
    for (const [name] of old) this.attempts.delete(name);
    for (const node of this.nodes.values()) if (this.isForgotten(node)) this.nodes.delete(node.id);
    return Math.max(jobs.length, old.length);
  }

  private isForgotten({ id, state, expiresAt }: ModelNode): boolean {
    return state !== 'alive' && isOver(expiresAt + KEEP_NODES) && this.all(({ node }) => node === id).length === 0;
  }

  // helpers

  all(matches: (job: ModelJob) => boolean): ModelJob[] {
    return [...this.jobs.values()].filter(matches);
  }

  job(id: string): ModelJob {
    const job = this.jobs.get(id);
    if (job === undefined) throw new Error(`the model knows no job ${id}`);
    return job;
  }

  private holderOf(type: string, key: string): ModelJob | undefined {
    return this.all((job) => job.type === type && job.key === key)[0];
  }

  private estimate(job: ModelJob, field: 'due' | 'expiresAt', delay: number): void {
    job[field] = Date.now() + delay;
    this.estimates.add(`${job.id}:${field}`);
  }

  private recordLoss({ id, fence, retries, node, delivered }: ModelJob, outcome: string, reason: string | null): void {
    const known = this.attempts.get(`${id}:${fence}`);
    // What its handler has left in the history is how it was delivered: that ends now, unless it has been pruned.
    if (delivered && known !== undefined)
      this.attempts.set(`${id}:${fence}`, { ...known, outcome, reason, endedAt: Date.now() });
    if (delivered) return;
    const name = `${this.nodes.get(node ?? '')?.name}#${node}`;
    this.record({ id, fence, attempt: retries + 1, node: name, outcome, reason });
  }

  /** What is in the history already stays as it is. */
  private record(attempt: ModelAttempt): void {
    const name = `${attempt.id}:${attempt.fence}`;
    if (!this.attempts.has(name)) this.attempts.set(name, { ...attempt, endedAt: Date.now() });
  }
}

export function publicState({ state, delivered }: ModelJob): ModelJob['state'] {
  return state === 'scheduled' && delivered ? 'running' : state;
}

/** What is left of a job that was pruned: its key. */
function isEmptied({ state, keyScope, expiresAt }: ModelJob): boolean {
  return ENDED.includes(state) && keyScope === 'forever' && expiresAt === null;
}

export function isOver(time: number): boolean {
  return time <= Date.now() + SOON;
}
