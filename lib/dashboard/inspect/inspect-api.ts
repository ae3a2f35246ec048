import { JobNotFoundError } from '../../errors/job-not-found.error.js';
import { QueueInspector } from '../../inspection/queue-inspector.js';
import { JobQueue } from '../../queue/job-queue.js';
import { Schedules } from '../../schedule/schedules.js';
import type { NodeStatus } from '../../repository/inspection-repository.js';
import type { BoardFacts } from '../board/board-facts.js';
import type { DashboardReads } from '../dashboard-reads.js';
import { actionsIn, adviceFor } from './advice.js';
import type { JobView } from './job-view.js';
import { stateOf } from './schedule-states.js';

/** As many as a person reads; whoever looks for more has a filter to narrow. */
const MOST_JOBS = 50;

/** What the page asks for and has done, as objects that are ready to become JSON. */
export class InspectApi {
  constructor(
    private readonly queue: JobQueue,
    private readonly inspector: QueueInspector,
    private readonly scheduleService: Schedules,
    private readonly facts: BoardFacts,
    private readonly reads: DashboardReads,
    private readonly views: JobView,
    private readonly readOnly: boolean,
  ) {}

  settings(): object {
    return { readOnly: this.readOnly };
  }

  /** By key or reference. */
  async find(query: URLSearchParams): Promise<object> {
    const given = ['type', 'key', 'reference'].filter((name) => query.has(name));
    const filter = Object.fromEntries(given.map((name) => [name, query.get(name)]));
    const { jobs, next } = await this.reads.inTurn(() => this.queue.find(filter, { limit: MOST_JOBS }));
    return { jobs: jobs.map((job) => this.views.job(job)), more: next !== undefined };
  }

  /** All about one job, and why it is not running. */
  async job(id: string): Promise<object> {
    const { inTurn } = this.reads;
    const job = await inTurn(() => this.queue.get(id));
    if (job === undefined) throw new JobNotFoundError(id);
    const [explanation, steps, attempts, log] = await Promise.all([
      inTurn(() => this.inspector.explain(id)),
      inTurn(() => this.queue.steps(id)),
      inTurn(() => this.queue.history(id)),
      inTurn(() => this.queue.log(id)),
    ]);
    const reasons = explanation.reasons.map((reason, index) => ({
      ...reason,
      sentence: explanation.sentences[index],
      ...adviceFor(reason),
    }));
    const actions = actionsIn(explanation.state);
    return { job: this.views.job(job), reasons, actions, steps: this.views.steps(job, steps), attempts, log };
  }

  async nodes(): Promise<object> {
    return { nodes: await this.facts.nodes() };
  }

  async locks(): Promise<object> {
    return { locks: await this.reads.inTurn(() => this.inspector.locks()) };
  }

  async due(): Promise<object> {
    return { due: await this.reads.inTurn(() => this.inspector.oldestDue()) };
  }

  async types(): Promise<object> {
    const [types, paused, nodes] = await Promise.all([
      this.facts.types(),
      this.facts.pausedTypes(),
      this.facts.nodes(),
    ]);
    const unhandled = await this.facts.unhandledTypes();
    return {
      types: types.map((type) => ({
        type,
        paused: paused.includes(type),
        unhandled: unhandled.has(type),
        ...slotsOf(type, nodes),
      })),
    };
  }

  /** Without what their jobs carry: nobody needs that here. */
  async schedules(): Promise<object> {
    const now = Date.now();
    const firings = (name: string, limit: number) =>
      this.reads.inTurn(() => this.scheduleService.history(name, { limit }));
    const schedules = await this.reads.inTurn(() => this.scheduleService.list());
    const states = schedules.map(async (schedule) => {
      const { payload: _, extra: __, ...shown } = schedule;
      return { ...shown, state: await stateOf(schedule, firings, now) };
    });
    return { schedules: await Promise.all(states) };
  }

  async change(id: string, action: 'retry' | 'cancel' | 'run-now'): Promise<object> {
    if (action === 'retry') await this.queue.retry(id);
    else if (action === 'cancel') await this.queue.cancel(id);
    else await this.queue.runNow(id);
    this.facts.outdate();
    return { id };
  }

  async changeType(type: string, action: 'pause' | 'resume'): Promise<object> {
    await this.queue[action](type);
    this.facts.outdate();
    return { type };
  }
}

/** On the living ones: what a dead one could run helps nobody. */
function slotsOf(type: string, nodes: readonly NodeStatus[]): object {
  const slots = nodes
    .filter(({ state }) => state === 'alive')
    .flatMap(({ types }) => types.filter((one) => one.type === type));
  const inCluster = Math.max(...slots.map(({ limits }) => limits?.concurrency ?? Infinity));
  return {
    nodes: slots.length,
    running: slots.reduce((sum, { running }) => sum + running, 0),
    concurrency: Math.min(
      slots.reduce((sum, { concurrency }) => sum + concurrency, 0),
      slots.length > 0 ? inCluster : 0,
    ),
  };
}
