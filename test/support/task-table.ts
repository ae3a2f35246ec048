import { Operation, type LoadScope, type OperationJob, type SettledJob } from '../../lib/job/operation.js';
import type { EntityManager } from 'typeorm';

export const TASK_TABLE =
  'CREATE TABLE task (id INTEGER PRIMARY KEY, note VARCHAR(40), state INTEGER NOT NULL DEFAULT 0, ended_by INTEGER)';

interface TaskRow {
  id: number;
  note: string;
}

/** The shortest operation: a table, which rows are due, and what is written when they have ended. */
export class TaskOperation extends Operation {
  async loadJobs({ limit, manager }: LoadScope): Promise<OperationJob[]> {
    const rows = await manager.query<TaskRow[]>(`SELECT id, note FROM task WHERE state = 0 ORDER BY id LIMIT ${limit}`);
    return rows.map(({ id, note }) => ({ id, payload: { note } }));
  }

  async batchUpdateJobs(settled: readonly SettledJob[], manager: EntityManager): Promise<void> {
    for (const { id, outcome, fence } of settled) {
      const state = outcome === 'succeeded' ? 1 : 2;
      await manager.query(`UPDATE task SET state = ${state}, ended_by = ${fence} WHERE id = ${Number(id)}`);
    }
  }
}
