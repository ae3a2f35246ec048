import { NotTestingError } from '../../errors/not-testing.error.js';
import type { Attempt } from '../../job/attempt.js';
import { OperationRepository } from '../../repository/operation-repository.js';

/** Rows of the application's own tables are in a database, or nowhere: nothing leads their operations in a test. */
export class NoOperationRepository extends OperationRepository {
  takeOver(): Promise<never> {
    return refuse();
  }

  start(): Promise<never> {
    return refuse();
  }

  running(): Promise<never> {
    return refuse();
  }

  settle(): Promise<never> {
    return refuse();
  }

  async history(): Promise<Attempt[]> {
    return [];
  }
}

async function refuse(): Promise<never> {
  const cure = 'Test it with a database, without usePersistentQueueTesting().';
  throw new NotTestingError('An operation on a table of yours cannot be led in memory', 'operation', cure);
}
