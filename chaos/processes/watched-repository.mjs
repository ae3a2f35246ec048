import { SqlJobRepository } from '../../dist/typeorm/sql.job-repository.js';

/** Id → the fence of this process's latest claim: handlers are not told theirs, and the ledger wants it. */
export const fences = new Map();

/** The real one, that notes which fences are claimed here. */
export class WatchedRepository extends SqlJobRepository {
  async claim(request) {
    const claimed = await super.claim(request);
    for (const { id, fence } of claimed.jobs) fences.set(id, fence);
    return claimed;
  }
}
