import type { Command } from 'commander';
import { CommandRefusedError } from '../../errors/command-refused.error.js';
import type { Finding } from '../../doctor/finding.js';
import type { DataSource } from 'typeorm';
import { within } from '../../support/within.js';
import { withTools, type Tools } from '../action.js';
import { openDataSource, reaching } from '../open-data-source.js';
import type { Output } from '../output.js';
import { lines } from '../text.js';
import { findDatabase } from '../where.js';

/** In milliseconds. A server that is stopped takes connections and says nothing; pg would wait for as long as that lasts. */
const PATIENCE = 15_000;
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
    if (!dataSource.isInitialized)
      await reaching(where, () => within(PATIENCE, () => dataSource.initialize(), unanswered));
    const { examine } = await import('../../doctor/examine.js');
    const options = { serviceName: settings.service, tablePrefix: settings.prefix };
    // As it is found: a server that hangs is asked for half a minute, and whoever ends that has seen the rest.
    const tell = (finding: Finding) => {
      if (settings.json !== true && (finding.level !== 'ok' || settings.quiet !== true))
        output.answer(undefined, () => describe(finding, output));
    };
    const findings = await examine(dataSource, options, tell);
    if (settings.json === true) output.answer(findings, () => '');
    refuseErrors(findings);
  } finally {
    if (dataSource.isInitialized) await close(dataSource);
  }
}

/** What hangs is given up: the process ends anyway. */
async function close(dataSource: DataSource): Promise<void> {
  await within(PATIENCE, () => dataSource.destroy(), unanswered).catch(() => undefined);
}

function unanswered(): Error {
  return new Error(`no answer within ${PATIENCE} ms`);
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
