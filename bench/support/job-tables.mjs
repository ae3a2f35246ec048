import { JOB_TYPE } from './job-type.mjs';

/** Two walks along the claim index, which end at the first row. */
export const isDoneSql = ['running', 'waiting']
  .map(
    (state) =>
      `(SELECT id FROM pq_job WHERE service = 'default' AND state = '${state}' AND type = '${JOB_TYPE}' LIMIT 1)`,
  )
  .map((sql) => `SELECT id FROM ${sql} AS open`)
  .join(' UNION ALL ');

/** Those that have ended and, if there is a history, are in it. Earlier ones were inserted by a measure as having ended in 1970. */
export function completedSql({ history }) {
  const jobs = `SELECT COUNT(*) AS count FROM pq_job j WHERE j.service = 'default' AND j.type = '${JOB_TYPE}' AND j.state = 'succeeded'`;
  return history
    ? `${jobs} AND EXISTS (SELECT 1 FROM pq_attempt a WHERE a.job_id = j.id AND a.outcome = 'succeeded')`
    : jobs;
}

export const storedSql = `SELECT COUNT(*) AS count FROM pq_job WHERE service = 'default' AND type = '${JOB_TYPE}'`;

export function numberOf([{ count }]) {
  return Number(count);
}
