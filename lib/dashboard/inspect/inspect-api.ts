import { JobNotFoundError } from '../../errors/job-not-found.error.js';
import { QueueInspector } from '../../inspection/queue-inspector.js';
import { JobQueue } from '../../queue/job-queue.js';
import { Schedules } from '../../schedule/schedules.js';
import type { NodeStatus } from '../../repository/inspection-repository.js';
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
    const { jobs, next } = await this.queue.find(filter, { limit: MOST_JOBS });
    return { jobs: jobs.map((job) => this.views.job(job)), more: next !== undefined };
  }

  /** All about one job, and why it is not running. */
  async job(id: string): Promise<object> {
    const job = await this.queue.get(id);
    if (job === undefined) throw new JobNotFoundError(id);
    const [explanation, steps, attempts, log] = await Promise.all([
      this.inspector.explain(id),
      this.queue.steps(id),
      this.queue.history(id),
      this.queue.log(id),
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
    return { nodes: await this.inspector.nodes() };
  }

  async locks(): Promise<object> {
    return { locks: await this.inspector.locks() };
  }

  async due(): Promise<object> {
    return { due: await this.inspector.oldestDue() };
  }

  async types(): Promise<object> {
    const [types, paused, unhandled, nodes] = await Promise.all([
      this.inspector.types(),
      this.inspector.pausedTypes(),
      this.inspector.unhandledTypes(),
      this.inspector.nodes(),
    ]);
    return {
      types: types.map((type) => ({
        type,
        paused: paused.includes(type),
        unhandled: unhandled.includes(type),
        ...slotsOf(type, nodes),
      })),
    };
  }

  /** Without what their jobs carry: nobody needs that here. */
  async schedules(): Promise<object> {
    const now = Date.now();
    const states = (await this.scheduleService.list()).map(async (schedule) => {
      const { payload: _, extra: __, ...shown } = schedule;
      return { ...shown, state: await stateOf(schedule, this.scheduleService, now) };
    });
    return { schedules: await Promise.all(states) };
  }

  async change(id: string, action: 'retry' | 'cancel' | 'run-now'): Promise<object> {
    if (action === 'retry') await this.queue.retry(id);
    else if (action === 'cancel') await this.queue.cancel(id);
    else await this.queue.runNow(id);
    return { id };
  }

  async changeType(type: string, action: 'pause' | 'resume'): Promise<object> {
    await this.queue[action](type);
    return { type };
  }
}

/** On the living ones: what a dead one could run helps nobody. */
function slotsOf(type: string, nodes: readonly NodeStatus[]): object {
  const slots = nodes
    .filter(({ state }) => state === 'alive')
    .flatMap(({ types }) => types.filter((one) => one.type === type));
  return {
    nodes: slots.length,
    running: slots.reduce((sum, { running }) => sum + running, 0),
    concurrency: slots.reduce((sum, { concurrency }) => sum + concurrency, 0),
  };
}
