import { Injectable, type Type } from '@nestjs/common';
import {
  JobHandler,
  JobOutcome,
  JobQueue,
  tableOperation,
  type JobContext,
  type SettledJob,
} from 'nestjs-persistent-queue';
import { setTimeout as pause } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';

export interface OwnTableSettings {
  atMost: number;
}

/** What is in `params` of a row: how its handler behaves. */
export interface OwnTablePayload {
  kind: 'good' | 'bad' | 'flaky' | 'again' | 'poison';
  ms: number;
}

/** Of the rows in async_job_tab. */
const TYPE = 1;
const CONCURRENCY = 20;

/** Where the trigger finds under which fence the writer believes that it writes. */
const CLAIM: Record<string, (fence: number) => string> = {
  mariadb: (fence) => `SET @claimed = ${fence}`,
  mysql: (fence) => `SET @claimed = ${fence}`,
  postgres: (fence) => `SELECT set_config('test.claimed', '${fence}', true)`,
  'better-sqlite3': (fence) => `UPDATE writer SET claimed = ${fence}`,
};

/** It writes down which fence it writes under: a ledger must not have to believe the lock. */
@Injectable()
class TellingTable extends tableOperation({ table: 'async_job_tab' }) {
  override async batchUpdateJobs(settled: readonly SettledJob[], manager: EntityManager): Promise<void> {
    // All of one batch have started under the same one.
    await manager.query(CLAIM[manager.connection.options.type]?.(Number(settled[0]?.fence)) ?? '');
    await super.batchUpdateJobs(settled, manager);
  }
}

/** Rows of the application's own table; each start is written down by itself, whatever becomes of the row. */
export function ownTableJobs({ atMost }: OwnTableSettings): Type[] {
  @Injectable()
  class OwnTableJobs {
    constructor(private readonly queue: JobQueue) {}

    @JobHandler(TYPE, {
      concurrency: CONCURRENCY,
      maxRetries: 1,
      waitTime: 200,
      operation: { use: TellingTable, lock: { atMost } },
    })
    async handle({ kind, ms }: OwnTablePayload, job: JobContext): Promise<unknown> {
      const starts = await this.begin(job);
      await pause(ms);
      if (kind === 'poison') process.kill(process.pid, 'SIGKILL');
      if (kind === 'bad') return JobOutcome.fail('no good');
      if (kind === 'flaky' && job.attempt === 1) throw new Error('not yet');
      return kind === 'again' && starts === 1 ? JobOutcome.continue({ after: 200 }) : undefined;
    }

    /** Answers how many starts of this row there are. */
    private async begin({ id, delivery }: JobContext): Promise<number> {
      const [row] = await this.queue.transaction(async (manager) => {
        await manager.query(`INSERT INTO begun (row_id, fence, pid) VALUES (${id}, ${delivery}, ${process.pid})`);
        return manager.query<{ starts: unknown }[]>(`SELECT COUNT(*) AS starts FROM begun WHERE row_id = ${id}`);
      });
      return Number(row?.starts);
    }
  }
  return [TellingTable, OwnTableJobs];
}
