import { Injectable } from '@nestjs/common';
import { ResolvedOptions } from '../options/resolved-options.js';
import {
  InspectionRepository,
  type JobSituation,
  type LockStatus,
  type NodeStatus,
  type OldestDueJob,
} from '../repository/inspection-repository.js';
import { QueueConnection } from './queue-connection.js';
import { numericId } from './row.js';
import { byBytes } from './statements/gaps.js';
import { inspectOldestDue } from './statements/inspect-due.js';
import { inspectJob } from './statements/inspect-job.js';
import { inspectShedlock, readLocks, selectLocks } from './statements/inspect-locks.js';
import { inspectNodes, selectPauses } from './statements/inspect-nodes.js';
import { shedlockOf } from './statements/shedlock.js';

@Injectable()
export class SqlInspectionRepository extends InspectionRepository {
  constructor(
    private readonly connection: QueueConnection,
    private readonly options: ResolvedOptions,
  ) {
    super();
  }

  nodes(): Promise<NodeStatus[]> {
    return this.connection.run(inspectNodes);
  }

  async locks(): Promise<LockStatus[]> {
    const { lockTable } = this.options;
    if (lockTable !== undefined) return this.connection.run((tables) => inspectShedlock(shedlockOf(tables, lockTable)));
    const { database, tables } = await this.connection.get();
    return readLocks((await database.query(selectLocks(tables))).rows);
  }

  async pausedTypes(): Promise<string[]> {
    const { database, tables } = await this.connection.get();
    const { rows } = await database.query(selectPauses(tables));
    return rows.map(({ type }) => String(type)).sort(byBytes);
  }

  oldestDue(): Promise<OldestDueJob[]> {
    return this.connection.run(inspectOldestDue);
  }

  situation(id: string): Promise<JobSituation | undefined> {
    return this.connection.run((tables) => inspectJob(tables, numericId(id)));
  }
}
