import type { JobState } from '../../job/job-state.js';
import type { Row } from '../statement.js';

/**
 * A job that its handler has delivered waits among the scheduled ones for the time until which it must be acknowledged, so that
 * looking for due jobs costs nothing more. To people it is running.
 */
export const AWAITING = "(state = 'scheduled' AND delivered_at > 0)";

/** The state of a row as people know it. */
export function stateOf(row: Row): JobState {
  const state = String(row['state']) as JobState;
  return state === 'scheduled' && Number(row['delivered_at']) > 0 ? 'running' : state;
}
