import { UNFILED } from '../../job/concurrency-key.js';
import type { ResolvedOptions } from '../../options/resolved-options.js';
import {
  COUNTED_AHEAD,
  InspectionRepository,
  type JobSituation,
  type LockStatus,
  type NodeState,
  type NodeStatus,
  type OldestDueJob,
} from '../../repository/inspection-repository.js';
import { stateOf } from '../../typeorm/statements/awaiting.js';
import { byBytes } from '../../typeorm/statements/gaps.js';
import { readJob } from '../../typeorm/statements/read-jobs.js';
import { byDue, isDue } from './claim-rows.js';
import type { MemoryStore } from './memory-store.js';
import type { JobRow, NodeRow } from './rows.js';
import { takenSlots } from './slot-rows.js';
import { pausedTypes } from './survey-rows.js';

const SHOWN = 86_400_000;

export class MemoryInspectionRepository extends InspectionRepository {
  constructor(
    private readonly store: MemoryStore,
    private readonly options: ResolvedOptions,
  ) {
    super();
  }

  async nodes(): Promise<NodeStatus[]> {
    const { now, nodes } = this.store;
    const shown = [...nodes.values()].filter(
      (node) => node.service === this.service && (isAlive(node) || node.expires_at >= now - SHOWN),
    );
    return shown
      .sort((a, b) => Number(isAlive(b)) - Number(isAlive(a)) || b.id - a.id)
      .map((node) => this.statusOf(node));
  }

  async locks(): Promise<LockStatus[]> {
    const { now, locks } = this.store;
    const taken = [...locks.values()].filter(({ service }) => service === this.service);
    return taken
      .map(({ name, owner, fence, token, locked_at: at, locked_until: until }) => {
        const held = token !== '' && until > now;
        return { name, owner, fence, lockedAt: new Date(at), lockedUntil: new Date(until), held };
      })
      .sort((a, b) => byBytes(a.name, b.name));
  }

  async pausedTypes(): Promise<string[]> {
    return pausedTypes(this.store, this.service).sort(byBytes);
  }

  async oldestDue(): Promise<OldestDueJob[]> {
    const due = this.rows.filter((row) => isDue(this.store, row)).sort(byDue);
    const oldest = due.filter((row, index) => due.findIndex(({ type }) => type === row.type) === index);
    return oldest.map(({ id, type, due: at }) => ({
      id: String(id),
      type,
      dueAt: new Date(at),
      age: this.store.now - at,
    }));
  }

  async situation(id: string): Promise<JobSituation | undefined> {
    const { store, service } = this;
    const row = store.job(service, id);
    if (row === undefined) return undefined;
    const isRunning = row.state === 'running';
    return {
      job: readJob(row),
      node: isRunning ? this.holderOf(row) : undefined,
      started: isRunning && row.started_at > 0,
      recorded: store.attempts.some(({ job_id, fence }) => job_id === row.id && fence === row.fence),
      suspect: row.suspect > 0,
      overdue: store.now - row.due,
      expired: row.deadline !== null && row.deadline < store.now,
      paused: pausedTypes(store, service).includes(row.type),
      ahead: this.isNext(row) ? this.countAhead(row) : 0,
      filed: row.concurrency_key !== UNFILED,
      slots: takenSlots(store, row),
    };
  }

  private holderOf({ node_id: id }: JobRow): JobSituation['node'] {
    const node = this.store.nodes.get(id);
    return node ? { name: nameOf(node), state: this.stateOf(node) } : { name: `?#${id}`, state: 'dead' };
  }

  /** A scheduled one that is due has its place among those that wait, which it joins with the next look. */
  private isNext(row: JobRow): boolean {
    const isOpen = ['waiting', 'scheduled'].includes(stateOf(row));
    return isOpen && row.due <= this.store.now && !row.hidden;
  }

  private countAhead(row: JobRow): number {
    const ahead = this.rows.filter(
      (other) =>
        other.type === row.type &&
        other.concurrency_key === row.concurrency_key &&
        this.isNext(other) &&
        (other.priority > row.priority || (other.priority === row.priority && byDue(other, row) < 0)),
    );
    return Math.min(ahead.length, COUNTED_AHEAD);
  }

  private statusOf(node: NodeRow): NodeStatus {
    const claims = this.rows.filter(({ state, node_id: of }) => state === 'running' && of === node.id);
    return {
      id: String(node.id),
      name: nameOf(node),
      state: this.stateOf(node),
      registeredAt: new Date(node.registered_at),
      beatAt: new Date(node.beat_at),
      concurrency: node.concurrency,
      running: claims.length,
      types: node.types.map((handled) => ({
        ...handled,
        running: claims.filter(({ type }) => type === handled.type).length,
      })),
    };
  }

  private stateOf(node: NodeRow): NodeState {
    return isAlive(node) && node.expires_at < this.store.now ? 'silent' : node.state;
  }

  private get rows(): JobRow[] {
    return this.store.jobsOf(this.service);
  }

  private get service(): string {
    return this.options.serviceName;
  }
}

function isAlive({ state }: NodeRow): boolean {
  return state === 'alive';
}

function nameOf({ id, name }: NodeRow): string {
  return `${name}#${id}`;
}
