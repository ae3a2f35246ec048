import type { DataSource } from 'typeorm';
import { UnreachableDatabaseError } from '../errors/unreachable-database.error.js';
import { messageOf } from '../support/message-of.js';
import { isForbidden } from '../typeorm/dialects/dialect.js';
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
 *                         │ not ours, none, unknown  │ one is missing, unknown
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
    const checks = stage.filter(({ on }) => on?.includes(patient.tables.dialect.name) ?? true);
    if (!(await carryOut(checks, patient, tell))) break;
    // What needs tables that are missing would only say so again, in many ways.
    if (findings.some((finding) => STOPPERS.includes(finding.check) && finding.level !== 'ok')) break;
  }
  return findings;
}

const STOPPERS: readonly string[] = ['schema.version', 'schema.tables'];
/** Without an answer to these nothing else is looked at, or means anything: a warning would say that jobs run. */
const VITAL: readonly string[] = ['database.engine', ...STOPPERS];
const RIGHTS = 'Give the user of the database the rights for it.';

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

/** Answers whether there is still a database to be asked: each of the other checks would wait for a connection too. */
async function carryOut(
  checks: readonly Check[],
  patient: Patient,
  tell: (finding: Finding) => void,
): Promise<boolean> {
  for (const { name: check, look } of checks) {
    try {
      for (const verdict of await look(patient)) tell({ check, ...verdict });
    } catch (error) {
      const isGone = error instanceof UnreachableDatabaseError;
      const level = isGone || VITAL.includes(check) ? 'error' : 'warning';
      const message = `This could not be looked at: ${messageOf(error)}`;
      tell({ check, level, message, ...(isForbidden(error) && { cure: RIGHTS }) });
      if (isGone) return false;
    }
  }
  return true;
}
