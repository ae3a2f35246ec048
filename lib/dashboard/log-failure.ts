import { Logger } from '@nestjs/common';
import { serialiseError } from '../support/serialise-error.js';
import { tellError } from './board/tell-error.js';

/** For whoever asked: what a database says about a failed statement is nobody's business but the log's. */
export const FAILED = 'The request failed; the log of the application says why.';

const logger = new Logger('PersistentQueueDashboard');

/** As text: a logger would print what else a driver's error carries, the parameters of the statement, and those are payloads. */
export function logFailure(error: unknown): void {
  logger.error(tellError(serialiseError(error)));
}
