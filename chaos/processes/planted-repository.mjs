import { runOn } from '../../dist/typeorm/query-runner.executor.js';
import { drive } from '../../dist/typeorm/statement.js';
import { insertJobs } from '../../dist/typeorm/statements/insert-jobs.js';
import { WatchedRepository } from './watched-repository.mjs';

/** Ends a job with whatever fence its row has now: a node that has lost it ends the attempt of the node that has it. */
class WithoutFence extends WatchedRepository {
  async settle(settlements, node) {
    const ids = settlements.map(({ id }) => Number(id)).join(', ');
    const { database } = await this.connection.get();
    const { rows } = await database.query({ sql: `SELECT id, fence FROM pq_job WHERE id IN (${ids})`, parameters: [] });
    const current = new Map(rows.map(({ id, fence }) => [String(id), Number(fence)]));
    const rewritten = settlements.map((settlement) => ({ ...settlement, fence: current.get(settlement.id) }));
    return super.settle(rewritten, node);
  }
}

/** Every few sweeps all other nodes are found dead, however fresh their beats. */
class BuriesTheLiving extends WatchedRepository {
  #sweeps = 0;

  async registerNode(description) {
    this.node = await super.registerNode(description);
    return this.node;
  }

  async survey(request) {
    const survey = await super.survey(request);
    return request.sweep && ++this.#sweeps % 5 === 0 ? { ...survey, orphans: true } : survey;
  }

  async rescue(limit) {
    const { database } = await this.connection.get();
    const sql = `UPDATE pq_node SET state = 'dead' WHERE state = 'alive' AND id <> ${Number(this.node)}`;
    await database.query({ sql, parameters: [] });
    return super.rescue(limit);
  }
}

/** The end of a transactional job is committed on a connection of the library's, whatever becomes of the handler's writes. */
class CompletesOutside extends WatchedRepository {
  async settleIn(_manager, settlement, node) {
    return (await this.settle([settlement], node)).length === 0;
  }
}

/** Tries an insert again on the caller's connection, whose transaction the server has rolled back: it is committed alone. */
class RetriesOnTheCallers extends WatchedRepository {
  async insert(jobs, manager, onProgress) {
    try {
      return await super.insert(jobs, manager, onProgress);
    } catch (error) {
      const { tables } = await this.connection.get();
      if (manager === undefined || !tables.dialect.isRolledBack(error)) throw error;
      return drive(insertJobs(tables, jobs), (step) => runOn(manager.queryRunner, tables.dialect, step));
    }
  }
}

const REPOSITORIES = {
  'no-fence': WithoutFence,
  'no-beat': BuriesTheLiving,
  'completion-outside': CompletesOutside,
  'retry-on-callers': RetriesOnTheCallers,
};

/** The real one without a name. */
export function plantedRepository(name) {
  return REPOSITORIES[name] ?? WatchedRepository;
}
