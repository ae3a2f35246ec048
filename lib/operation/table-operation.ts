import { Injectable, type Type } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { NotRunningError } from '../errors/not-running.error.js';
import { PermanentJobError } from '../errors/permanent-job.error.js';
import { Operation, type LoadScope, type OperationJob, type RetriedJob, type SettledJob } from '../job/operation.js';
import { findOwnTable } from '../typeorm/own-table/find-own-table.js';
import type { OwnRow, OwnRowEnd, OwnTable } from '../typeorm/own-table/own-table.js';
import { readTableOptions } from './read-table-options.js';
import type { TableOperationOptions } from './table-operation-options.js';

/**
 * What `tableOperation()` makes: extend it to do more with each row, or around each of its calls.
 *
 * @publicApi
 */
export interface TableOperation extends Operation {
  loadJobs(scope: LoadScope): Promise<OperationJob[]>;
  batchUpdateJobs(settled: readonly SettledJob[], manager: EntityManager): Promise<void>;
}

/**
 * An `Operation` for a table of yours that holds jobs as most do: one row each, with a status and a due time. Rows that are inserted with
 * a waiting status run when they are due, by the database's clock, and get one of two other statuses when they have ended; nothing else
 * of the row is written but the columns that you name.
 *
 *     @JobHandler(1, { operation: { use: tableOperation({ table: 'async_job_tab' }) } })
 *
 * At boot the table and its columns are looked up: what is missing, or a view, stops the application; a missing index is warned about,
 * with the statement that makes it.
 *
 * @publicApi
 * @throws InvalidOptionError, UnknownOptionError for options that cannot be used.
 */
export function tableOperation(options: TableOperationOptions): Type<TableOperation> {
  const { mapping, type: given } = readTableOptions(options);

  @Injectable()
  class OfOneTable extends Operation implements TableOperation {
    private found: OwnTable | undefined;

    override async check(type: string, manager: EntityManager): Promise<string[]> {
      const { table, missingIndex } = await findOwnTable(manager, mapping, given ?? type);
      this.found = table;
      return missingIndex === undefined ? [] : [`Each load reads the whole table '${mapping.table}': ${missingIndex}`];
    }

    async loadJobs({ type, limit, exclude, manager }: LoadScope): Promise<OperationJob[]> {
      return (await this.table.load(manager, given ?? type, limit - exclude.size, exclude)).map(toJob);
    }

    async batchUpdateJobs(settled: readonly SettledJob[], manager: EntityManager): Promise<void> {
      const withOutcome = (outcome: SettledJob['outcome']) =>
        settled.filter((job) => job.outcome === outcome).map(toEnd);
      await this.table.end(manager, mapping.succeeded, withOutcome('succeeded'));
      await this.table.end(manager, mapping.failed, withOutcome('failed'));
    }

    override noteRetries(retried: readonly RetriedJob[], manager: EntityManager): Promise<void> {
      return this.table.note(manager, retried.map(toEnd));
    }

    private get table(): OwnTable {
      if (this.found === undefined) throw new NotRunningError('A tableOperation()');
      return this.found;
    }
  }

  return OfOneTable;
}

function toJob({ id, payload, due }: OwnRow): OperationJob {
  const job = { id, payload: readPayload(payload) };
  return due === 0 ? job : { ...job, dueAt: new Date(due) };
}

/** A column of a JSON type is parsed by most drivers. */
function readPayload(payload: unknown): unknown {
  if (payload === undefined || payload === null || payload === '') return null;
  if (typeof payload !== 'string') return payload;
  try {
    return JSON.parse(payload);
  } catch (cause) {
    return new PermanentJobError('The payload is not JSON. Correct it, and give the row a waiting status again.', {
      cause,
    });
  }
}

function toEnd({ id, attempt, error }: SettledJob | RetriedJob): OwnRowEnd {
  return { id: String(id), attempt, error: error?.message };
}
