import type { Dialect } from '../typeorm/dialects/dialect.js';
import type { Patient } from '../typeorm/doctor/patient.js';
import type { Finding } from './finding.js';

export type Verdict = Omit<Finding, 'check'>;

export interface Check {
  readonly name: string;
  /** The databases for which it means something; without it all of them. */
  readonly on?: readonly Dialect['name'][];
  /** At least one verdict. */
  readonly look: (patient: Patient) => Promise<Verdict[]>;
}

export const MYSQL_FAMILY: Check['on'] = ['mariadb', 'mysql'];
export const SERVERS: Check['on'] = ['mariadb', 'mysql', 'postgres'];

export function ok(message: string): Verdict {
  return { level: 'ok', message };
}

export function warning(message: string, cure?: string): Verdict {
  return { level: 'warning', message, ...(cure !== undefined && { cure }) };
}

export function error(message: string, cure?: string): Verdict {
  return { level: 'error', message, ...(cure !== undefined && { cure }) };
}

/** `undefined`: it does not reach the threshold. */
export function levelOf(
  value: number,
  { warning: low, error: high }: { warning: number; error: number },
): typeof warning | undefined {
  if (value < low) return undefined;
  return value < high ? warning : error;
}

/** What is wrong, or that nothing is. */
export function orFine(verdicts: readonly Verdict[], message: string): Verdict[] {
  return verdicts.length > 0 ? [...verdicts] : [ok(message)];
}

/** For people: a list that does not fill the screen. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 10).map((name) => `'${name}'`);
  return names.length > shown.length ? `${shown.join(', ')} and ${names.length - shown.length} more` : shown.join(', ');
}

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

export function spanOf(milliseconds: number): string {
  const [size, unit] = UNITS.find(([least]) => Math.abs(milliseconds) >= least) ?? [1, 'ms'];
  return Number.isFinite(milliseconds) ? `${Math.round((milliseconds / size) * 10) / 10} ${unit}` : 'a long time';
}

export function sizeOf(bytes: number): string {
  return `${Math.round(bytes / (1_024 * 1_024))} MiB`;
}
