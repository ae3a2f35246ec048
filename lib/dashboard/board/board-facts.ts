import { Injectable } from '@nestjs/common';
import { QueueInspector } from '../../inspection/queue-inspector.js';
import type { JobState } from '../../job/job-state.js';
import type { Job } from '../../job/job.js';
import type { Schedule } from '../../job/schedule.js';
import { JobQueue } from '../../queue/job-queue.js';
import type { NodeStatus } from '../../repository/inspection-repository.js';
import { Schedules } from '../../schedule/schedules.js';
import { DashboardReads } from '../dashboard-reads.js';
import { JobPages } from './job-pages.js';
import { SharedAnswer } from './shared-answer.js';
import { SharedLists } from './shared-lists.js';

/** Of what reads many rows: less than 5 % of one connection's time. */
const REST = 20;

type Counts = ReadonlyMap<string, ReadonlyMap<JobState, number>>;

/** What the board shows of all types at once. It asks every few seconds, for each type, as long as somebody has it open. */
@Injectable()
export class BoardFacts {
  private readonly counted: SharedAnswer<Counts>;
  private readonly paused: SharedAnswer<string[]>;
  private readonly nodesSeen: SharedAnswer<NodeStatus[]>;
  private readonly scheduled: SharedAnswer<Schedule[]>;
  /** The first ones, for when counting fails. */
  private readonly unhandled: SharedAnswer<string[]>;
  private readonly lists: SharedLists;

  constructor(
    queue: JobQueue,
    inspector: QueueInspector,
    schedules: Schedules,
    pages: JobPages,
    reads: DashboardReads,
  ) {
    const { inTurn } = reads;
    this.counted = new SharedAnswer(() => countsByType(queue), inTurn, REST);
    this.paused = new SharedAnswer(() => inspector.pausedTypes(), inTurn);
    this.nodesSeen = new SharedAnswer(() => inspector.nodes(), inTurn);
    this.scheduled = new SharedAnswer(() => schedules.list(), inTurn);
    this.unhandled = new SharedAnswer(() => inspector.unhandledTypes(), inTurn);
    this.lists = new SharedLists(pages, reads);
  }

  /**
   * Sorted: all that have jobs, that somebody runs, that are paused, or that a schedule makes jobs of. One count serves this too; when it
   * has failed, types are known that have something else than jobs, and can be paused.
   */
  async types(): Promise<string[]> {
    const [counts, nodes, paused, schedules] = await Promise.all([
      this.counted.get().catch((): Counts => new Map()),
      this.nodesSeen.get(),
      this.paused.get(),
      this.scheduled.get(),
    ]);
    const scheduled = schedules.map(({ type }) => type);
    return [...new Set([...counts.keys(), ...paused, ...typesOn(nodes), ...scheduled])].toSorted();
  }

  async count(type: string, ...states: JobState[]): Promise<number> {
    const counts = (await this.counted.get()).get(type);
    return states.reduce((sum, state) => sum + (counts?.get(state) ?? 0), 0);
  }

  /** None without a question where the counts know of none. */
  async jobs(type: string, state: readonly JobState[], start: number, end: number): Promise<Job[]> {
    // Counts that fail are told where they are shown.
    const count = await this.count(type, ...state).catch(() => Infinity);
    return count > start ? this.lists.get(type, state, start, end) : [];
  }

  async isPaused(type: string): Promise<boolean> {
    return (await this.paused.get()).includes(type);
  }

  nodes(): Promise<NodeStatus[]> {
    return this.nodesSeen.get();
  }

  pausedTypes(): Promise<string[]> {
    return this.paused.get();
  }

  /** Living ones that run the type. */
  async nodesFor(type: string): Promise<NodeStatus[]> {
    const nodes = await this.nodesSeen.get();
    return nodes.filter(({ state, types }) => state === 'alive' && types.some((each) => each.type === type));
  }

  /** Types with waiting jobs that no living node runs. */
  async unhandledTypes(): Promise<ReadonlySet<string>> {
    const [counts, nodes] = await Promise.all([this.counted.get().catch(() => undefined), this.nodes()]);
    if (counts === undefined) return new Set(await this.unhandled.get());
    const handled = new Set(typesOn(nodes));
    const waiting = [...counts].filter(([, states]) => (states.get('waiting') ?? 0) > 0);
    return new Set(waiting.map(([type]) => type).filter((type) => !handled.has(type)));
  }

  async schedulesOf(type: string): Promise<Schedule[]> {
    return (await this.scheduled.get()).filter((schedule) => schedule.type === type);
  }

  /** Somebody has changed something through the dashboard. */
  outdate(): void {
    for (const each of [this.counted, this.paused, this.scheduled, this.lists]) each.outdate();
  }
}

/** Those of living ones. */
function typesOn(nodes: readonly NodeStatus[]): string[] {
  return nodes.filter(({ state }) => state === 'alive').flatMap(({ types }) => types.map(({ type }) => type));
}

async function countsByType(queue: JobQueue): Promise<Counts> {
  const byType = new Map<string, Map<JobState, number>>();
  for (const { type, state, count } of await queue.counts()) {
    const counts = byType.get(type) ?? new Map<JobState, number>();
    byType.set(type, counts.set(state, count));
  }
  return byType;
}
