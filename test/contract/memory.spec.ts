import { describe } from '@jest/globals';
import { MemoryAfterCommit } from '../../lib/testing/memory/memory-after-commit.js';
import { MemoryLockRepository } from '../../lib/testing/memory/memory.lock-repository.js';
import { MemoryInspectionRepository } from '../../lib/testing/memory/memory.inspection-repository.js';
import { MemoryJobRepository } from '../../lib/testing/memory/memory.job-repository.js';
import { MemoryScheduleRepository } from '../../lib/testing/memory/memory.schedule-repository.js';
import { MemoryStepRepository } from '../../lib/testing/memory/memory.step-repository.js';
import { MemoryStore } from '../../lib/testing/memory/memory-store.js';
import { MemoryTransactions } from '../../lib/testing/memory/memory-transactions.js';
import { NoOperationRepository } from '../../lib/testing/memory/no.operation-repository.js';
import { Units } from '../../lib/testing/memory/units.js';
import { inMemory } from '../support/databases.js';
import type { FixtureParts, FixtureTools } from '../support/queue-fixture.js';
import { contractContext } from './contract-context.js';
import { PARTS } from './job-repository.contract.js';

/** What /testing gives to users: our rows are in memory, the application's own in SQLite. The parts about SQL itself have no meaning here. */
describe('in memory', () => {
  const units = new Units();
  const store = new MemoryStore({ now: Date.now }, units);
  const makeParts = ({ application, options, ambient, wakeSignal }: FixtureTools): FixtureParts => ({
    repository: new MemoryJobRepository(store, units, options),
    schedules: new MemoryScheduleRepository(store, options),
    steps: new MemoryStepRepository(store, options),
    operations: new NoOperationRepository(),
    inspection: new MemoryInspectionRepository(store, options),
    locks: new MemoryLockRepository(store, options),
    transactions: new MemoryTransactions(application, options, ambient, units),
    afterCommit: new MemoryAfterCommit(units, wakeSignal),
    silenceNodes: () => {
      for (const node of store.nodes.values()) if (node.service === options.serviceName) node.expires_at = 0;
    },
  });
  const context = contractContext(inMemory(), makeParts);
  for (const part of PARTS) part(context);
});
