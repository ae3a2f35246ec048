import { Injectable } from '@nestjs/common';
import { QueueInspector } from '../../inspection/queue-inspector.js';
import type { JobState } from '../../job/job-state.js';
import type { Schedule } from '../../job/schedule.js';
import { JobQueue } from '../../queue/job-queue.js';
import type { NodeStatus } from '../../repository/inspection-repository.js';
import { Schedules } from '../../schedule/schedules.js';
import { SharedAnswer } from './shared-answer.js';

/** Of what reads many rows: less than 5 % of one connection's time. */
const REST = 20;

/** What the board shows of all types at once. It asks every few seconds, for each type, as long as somebody has it open. */
@Injectable()
export class BoardFacts {
  private readonly counted: SharedAnswer<ReadonlyMap<string, ReadonlyMap<JobState, number>>>;
  private readonly paused: SharedAnswer<string[]>;
  private readonly nodesSeen: SharedAnswer<NodeStatus[]>;
  private readonly scheduled: SharedAnswer<Schedule[]>;

  constructor(queue: JobQueue, inspector: QueueInspector, schedules: Schedules) {
    this.counted = new SharedAnswer(() => countsByType(queue), REST);
    this.paused = new SharedAnswer(() => inspector.pausedTypes());
    this.nodesSeen = new SharedAnswer(() => inspector.nodes());
    this.scheduled = new SharedAnswer(() => schedules.list());
  }

  /** Sorted: all that have jobs, that somebody runs, that are paused, or that a schedule makes jobs of. One count serves this too. */
  async types(): Promise<string[]> {
    const [counts, nodes, paused, schedules] = await Promise.all([
      this.counted.get(),
      this.nodesSeen.get(),
      this.paused.get(),
      this.scheduled.get(),
    ]);
    const handled = nodes.filter(({ state }) => state === 'alive').flatMap(({ types }) => types);
    const named = [...handled, ...schedules].map(({ type }) => type);
    return [...new Set([...counts.keys(), ...paused, ...named])].toSorted();
  }

  async count(type: string, ...states: JobState[]): Promise<number> {
    const counts = (await this.counted.get()).get(type);
    return states.reduce((sum, state) => sum + (counts?.get(state) ?? 0), 0);
  }

  async isPaused(type: string): Promise<boolean> {
    return (await this.paused.get()).includes(type);
  }

  /** Living ones that run the type. */
  async nodesFor(type: string): Promise<NodeStatus[]> {
    const nodes = await this.nodesSeen.get();
    return nodes.filter(({ state, types }) => state === 'alive' && types.some((each) => each.type === type));
  }

  async schedulesOf(type: string): Promise<Schedule[]> {
    return (await this.scheduled.get()).filter((schedule) => schedule.type === type);
  }

  /** Somebody has changed something through the dashboard. */
  outdate(): void {
    for (const each of [this.counted, this.paused, this.scheduled]) each.outdate();
  }
}

async function countsByType(queue: JobQueue): Promise<ReadonlyMap<string, ReadonlyMap<JobState, number>>> {
  const byType = new Map<string, Map<JobState, number>>();
  for (const { type, state, count } of await queue.counts()) {
    const counts = byType.get(type) ?? new Map<JobState, number>();
    byType.set(type, counts.set(state, count));
  }
  return byType;
}
