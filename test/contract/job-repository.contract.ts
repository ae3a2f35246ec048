import { describe, it } from '@jest/globals';
import { databases, type TestDatabase } from '../support/databases.js';
import { claimContract } from './claim.contract.js';
import { clockContract } from './clock.contract.js';
import { contractContext } from './contract-context.js';
import { controlContract } from './control.contract.js';
import { enqueueContract } from './enqueue.contract.js';
import { findContract } from './find.contract.js';
import { mysqlFamilyContract } from './mysql-family.contract.js';
import { nodesContract } from './nodes.contract.js';
import { retentionContract } from './retention.contract.js';
import { schemaContract } from './schema.contract.js';
import { settleContract } from './settle.contract.js';

const PARTS = [
  enqueueContract,
  claimContract,
  settleContract,
  nodesContract,
  controlContract,
  findContract,
  retentionContract,
  schemaContract,
  clockContract,
  mysqlFamilyContract,
];

/** What every database has to keep: the same suite for each of them. */
export function jobRepositoryContract(name: TestDatabase['name']): void {
  const database = databases().find((candidate) => candidate.name === name);
  describe(`on ${name}`, () => {
    if (database === undefined) return it('is left out: the end of the run says what to install', () => undefined);
    const context = contractContext(database);
    for (const part of PARTS) part(context);
  });
}
