import type { Dialect } from '../dialects/dialect.js';
import { createTable, type Table } from './define-table.js';
import { jobTable } from './job.table.js';
import { operationAttemptTable, operationRowTable } from './operation.tables.js';
import { firingTable, scheduleTable } from './schedule.tables.js';
import { attemptTable, lockTable, logTable, nodeTable, pauseTable, schemaTable } from './side-tables.js';
import { slotTable } from './slot.table.js';
import { stepTable } from './step.table.js';

/** The names of our tables. The prefix has been checked, so that they need no quotes. */
export interface TableNames {
  readonly job: string;
  readonly attempt: string;
  readonly log: string;
  readonly node: string;
  readonly pause: string;
  readonly schedule: string;
  readonly firing: string;
  readonly step: string;
  readonly slot: string;
  readonly operationRow: string;
  readonly operationAttempt: string;
  readonly lock: string;
  readonly schema: string;
}

export function tableNames(prefix: string): TableNames {
  return {
    job: `${prefix}job`,
    attempt: `${prefix}attempt`,
    log: `${prefix}log`,
    node: `${prefix}node`,
    pause: `${prefix}pause`,
    schedule: `${prefix}schedule`,
    firing: `${prefix}firing`,
    step: `${prefix}step`,
    slot: `${prefix}slot`,
    operationRow: `${prefix}operation_row`,
    operationAttempt: `${prefix}operation_attempt`,
    lock: `${prefix}lock`,
    schema: `${prefix}schema`,
  };
}

/** Schema version 1. Released versions never change. */
export function tableDefinitions(dialect: Dialect, names: TableNames): Table[] {
  return [
    schemaTable(dialect, names.schema),
    jobTable(dialect, names.job),
    attemptTable(dialect, names.attempt),
    logTable(dialect, names.log),
    nodeTable(dialect, names.node),
    pauseTable(dialect, names.pause),
    scheduleTable(dialect, names.schedule),
    firingTable(dialect, names.firing),
    stepTable(dialect, names.step),
    slotTable(dialect, names.slot),
    operationRowTable(dialect, names.operationRow),
    operationAttemptTable(dialect, names.operationAttempt),
    lockTable(dialect, names.lock),
  ];
}

export function createTables(dialect: Dialect, names: TableNames): string[] {
  return tableDefinitions(dialect, names).flatMap((table) => createTable(dialect, table));
}

/** Also those of an installation that was interrupted, where some are missing. */
export function dropTables(names: TableNames): string[] {
  return Object.values(names).map((table) => `DROP TABLE IF EXISTS ${table}`);
}
