import type { Command } from 'commander';
import { CommandRefusedError } from '../../errors/command-refused.error.js';
import type { Finding } from '../../doctor/finding.js';
import { withTools, type Tools } from '../action.js';
import { openDataSource, reaching } from '../open-data-source.js';
import type { Output } from '../output.js';
import { lines } from '../text.js';
import { findDatabase } from '../where.js';

const STYLES = { ok: 'green', warning: 'yellow', error: 'red' } as const;

export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .summary('look for what keeps jobs from running')
    .description(
      'Examines tables, database, nodes and open jobs. It only reads. The exit code is 1 when it finds an error.',
    )
    .action(withTools(doctor));
}

async function doctor({ settings, output }: Tools): Promise<void> {
  const where = await findDatabase(settings);
  const dataSource = await openDataSource(where);
  try {
    if (!dataSource.isInitialized) await reaching(where, () => dataSource.initialize());
    const { examine } = await import('../../doctor/examine.js');
    const options = { serviceName: settings.service, tablePrefix: settings.prefix };
    const findings = await examine(dataSource, options);
    output.answer(
      findings,
      () => findings.map((finding) => describe(finding, output)).join('\n'),
      () =>
        findings
          .filter(({ level }) => level !== 'ok')
          .map((finding) => describe(finding, output))
          .join('\n'),
    );
    refuseErrors(findings);
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
  }
}

function describe({ check, level, message, cure }: Finding, output: Output): string {
  const first = `${output.paint(STYLES[level], level.padEnd('warning'.length))}  ${check}: ${lines(message)}`;
  return cure === undefined ? first : `${first}\n${lines(cure, ' '.repeat('warning'.length + 2))}`;
}

function refuseErrors(findings: readonly Finding[]): void {
  const errors = findings.filter(({ level }) => level === 'error').map(({ check }) => check);
  if (errors.length === 0) return;
  const mistake =
    errors.length === 1 ? 'The doctor has found an error' : `The doctor has found ${errors.length} errors`;
  throw new CommandRefusedError(mistake, errors.join(', '), 'What to do is said beside each of them.');
}
