import type { Type } from '@nestjs/common';
import type { QueueEvent } from '../../lib/events/queue-event.js';
import type { JobHandlerDecoratorOptions } from '../../lib/handler/job-handler.decorator.js';
import type { JobContext } from '../../lib/job/job-context.js';
import type { Operation } from '../../lib/job/operation.js';
import { Operations } from '../../lib/operation/operations.js';
import { handler, startApp, type AppFixture } from './app-fixture.js';
import type { TestSchema } from './databases.js';
import { TASK_TABLE, TaskOperation } from './task-table.js';
import { waitUntil } from './wait-until.js';

export type TaskWork = (payload: { note: string }, job: JobContext) => unknown;

export interface TaskOptions extends JobHandlerDecoratorOptions {
  use?: Type<Operation>;
  serviceName?: string;
  shutdownTimeout?: number;
}

/** An application whose jobs are the rows of the table `task`. */
export class TaskFixture {
  readonly events: QueueEvent[] = [];

  private constructor(private readonly app: AppFixture) {
    app.queue.events$.subscribe((event) => this.events.push(event));
  }

  static async createTable(schema: TestSchema): Promise<void> {
    await (await schema.connect()).query(TASK_TABLE);
  }

  /** Not started yet. */
  static async create(
    schema: TestSchema,
    work: TaskWork,
    { use = TaskOperation, serviceName = 'tasks', shutdownTimeout = 1_000, ...options }: TaskOptions = {},
  ): Promise<TaskFixture> {
    const operation = { use, lock: { atMost: 3_000 }, ...options.operation };
    const app = await startApp(schema, {
      providers: [use, handler('task', work, { waitTime: 1, ...options, operation })],
      queue: { serviceName, shutdownTimeout, autoStart: false },
    });
    return new TaskFixture(app);
  }

  start(): Promise<void> {
    return this.app.start();
  }

  close(): Promise<void> {
    return this.app.close();
  }

  write(sql: string): Promise<unknown> {
    return this.app.queue.transaction((manager) => manager.query(sql));
  }

  get dataSource() {
    return this.app.dataSource;
  }

  insert(id: number, note = 'note'): Promise<unknown> {
    return this.write(`INSERT INTO task (id, note) VALUES (${id}, '${note}')`);
  }

  async states(): Promise<Record<number, number>> {
    const rows = await this.dataSource.query<{ id: number; state: number }[]>('SELECT id, state FROM task ORDER BY id');
    return Object.fromEntries(rows.map(({ id, state }) => [id, state]));
  }

  become(expected: Record<number, number>): Promise<unknown> {
    return waitUntil(async () => JSON.stringify(await this.states()) === JSON.stringify(expected), {
      describe: () => `tasks to be ${JSON.stringify(expected)}; events: ${JSON.stringify(this.events.slice(-3))}`,
    });
  }

  heard(name: QueueEvent['name'], times = 1): Promise<unknown> {
    const count = () => this.events.filter((event) => event.name === name).length;
    return waitUntil(() => count() >= times, { describe: () => `${times} events ${name}, there were ${count()}` });
  }

  async outcomes(id: number): Promise<string[]> {
    const history = await this.app.app.get(Operations).history('task', id);
    return history.map(({ outcome, reason }) => reason ?? outcome);
  }
}
