import { describe, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { databases, type TestDatabase } from '../support/databases.js';
import { acknowledgementContract } from './acknowledgement.contract.js';
import { callersContract } from './callers.contract.js';
import { claimContract } from './claim.contract.js';
import { clockContract } from './clock.contract.js';
import { contractContext } from './contract-context.js';
import { controlContract } from './control.contract.js';
import { doctorContract } from './doctor.contract.js';
import { enqueueContract } from './enqueue.contract.js';
import { filteredBatchesContract } from './filtered-batches.contract.js';
import { findContract } from './find.contract.js';
import { inspectionContract } from './inspection.contract.js';
import { limitsContract } from './limits.contract.js';
import { lockContract } from './lock.contract.js';
import { mysqlFamilyContract } from './mysql-family.contract.js';
import { mergeContract } from './merge.contract.js';
import { nodesContract } from './nodes.contract.js';
import { explanationContract } from './explanation.contract.js';
import { removalContract } from './removal.contract.js';
import { operationRowsContract } from './operation-rows.contract.js';
import { operationsContract } from './operations.contract.js';
import { retentionContract } from './retention.contract.js';
import { schedulesContract } from './schedules.contract.js';
import { schemaContract } from './schema.contract.js';
import { settleContract } from './settle.contract.js';
import { stepsContract } from './steps.contract.js';
import { shedlockContract } from './shedlock.contract.js';

export const PARTS = [
  enqueueContract,
  mergeContract,
  claimContract,
  settleContract,
  acknowledgementContract,
  nodesContract,
  controlContract,
  findContract,
  retentionContract,
  removalContract,
  inspectionContract,
  explanationContract,
  schedulesContract,
  stepsContract,
  lockContract,
];

/** What is about SQL itself. */
const SQL_PARTS = [
  limitsContract,
  callersContract,
  shedlockContract,
  operationsContract,
  operationRowsContract,
  filteredBatchesContract,
  schemaContract,
  doctorContract,
  clockContract,
  mysqlFamilyContract,
];

/** What every database has to keep: the same suite for each of them. `version`: what the server says that it is. */
export function jobRepositoryContract(name: TestDatabase['name'], version?: string): void {
  const found = databases().find((candidate) => candidate.name === name);
  const database = found === undefined || version === undefined ? found : pretending(found, version);
  describe(`on ${name} ${version ?? ''}`, () => {
    if (database === undefined) return it('is left out: the end of the run says what to install', () => undefined);
    const context = contractContext(database);
    for (const part of [...PARTS, ...SQL_PARTS]) part(context);
  });
}

/** The tests themselves read names with plain SQL: as text here too. */
function pretending(database: TestDatabase, version: string): TestDatabase {
  const pretend = (dataSource: DataSource): DataSource => {
    const query = dataSource.query.bind(dataSource);
    dataSource.query = async (sql, ...rest) => {
      if (sql.startsWith('SELECT VERSION()')) return [{ version }] as never;
      const answer: unknown = await query(sql, ...rest);
      return (Array.isArray(answer) ? answer.map(withText) : answer) as never;
    };
    return dataSource;
  };
  return {
    ...database,
    async create() {
      const schema = await database.create();
      return { ...schema, connect: async () => pretend(await schema.connect()) };
    },
  };
}

function withText(row: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(row).map(([name, value]) => [name, Buffer.isBuffer(value) ? value.toString() : value]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}
