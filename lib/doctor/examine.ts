import type { DataSource } from 'typeorm';
import { messageOf } from '../support/message-of.js';
import { Patient } from '../typeorm/doctor/patient.js';
import type { Check } from './check.js';
import type { Finding } from './finding.js';
import { queueChecks } from './queue.checks.js';
import { schemaChecks, versionCheck } from './schema.checks.js';
import { SERVER_CHECKS } from './server.checks.js';
import { STORAGE_CHECKS } from './storage.checks.js';

export interface ExamineOptions {
  readonly serviceName: string;
  readonly tablePrefix: string;
}

/**
 * Looks at everything that keeps jobs from running, or will: the database, the tables and what is in them. It only reads. Each finding
 * is told as it is made; a check that fails is a finding too, and never an exception.
 *
 *     the server ──► the tables' version ──► the tables ──► the queue in them, how they are stored
 *                         │ not ours, none           │ one is missing
 *                         ▼                          ▼
 *                        end                        end
 */
export async function examine(
  dataSource: DataSource,
  { serviceName, tablePrefix }: ExamineOptions,
  onFinding: (finding: Finding) => void = () => undefined,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const tell = (finding: Finding) => {
    findings.push(finding);
    onFinding(finding);
  };
  const patient = await meet(dataSource, tablePrefix, serviceName, tell);
  if (patient === undefined) return findings;
  for (const stage of [SERVER_CHECKS, [versionCheck], schemaChecks(), [...queueChecks(), ...STORAGE_CHECKS]]) {
    for (const check of stage.filter(({ on }) => on?.includes(patient.tables.dialect.name) ?? true))
      for (const finding of await findingsOf(check, patient)) tell(finding);
    // What needs tables that are missing would only say so again, in many ways.
    if (findings.some((finding) => STOPPERS.includes(finding.check) && finding.level !== 'ok')) break;
  }
  return findings;
}

const STOPPERS: readonly string[] = ['schema.version', 'schema.tables'];

async function meet(
  dataSource: DataSource,
  tablePrefix: string,
  serviceName: string,
  tell: (finding: Finding) => void,
): Promise<Patient | undefined> {
  try {
    return await Patient.meet(dataSource, tablePrefix, serviceName);
  } catch (error) {
    tell({ check: 'database.engine', level: 'error', message: messageOf(error) });
    return undefined;
  }
}

async function findingsOf({ name, look }: Check, patient: Patient): Promise<Finding[]> {
  try {
    return (await look(patient)).map((verdict) => ({ check: name, ...verdict }));
  } catch (error) {
    const message = `This could not be looked at: ${messageOf(error)}`;
    return [{ check: name, level: 'warning', message, cure: 'Give the user of the database the rights for it.' }];
  }
}
