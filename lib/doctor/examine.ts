import type { DataSource } from 'typeorm';
import { messageOf } from '../support/message-of.js';
import { detectDialect } from '../typeorm/detect-dialect.js';
import type { Finding } from './finding.js';

export interface ExamineOptions {
  readonly serviceName: string;
  readonly tablePrefix: string;
}

/**
 * Looks at everything that keeps jobs from running or will: the tables, the database and what is in it. It only reads. Each finding is
 * told as it is made; a check that fails is a finding too, and never an exception.
 */
export async function examine(
  dataSource: DataSource,
  _options: ExamineOptions,
  onFinding: (finding: Finding) => void = () => undefined,
): Promise<Finding[]> {
  const finding = await detectDialect(dataSource.options, dataSource).then(
    ({ name }): Finding => ({ check: 'database.engine', level: 'ok', message: `${name} is supported.` }),
    (error: unknown): Finding => ({ check: 'database.engine', level: 'error', message: messageOf(error) }),
  );
  onFinding(finding);
  return [finding];
}
