import { describe, expect, it } from '@jest/globals';
import { databases } from '../support/databases.js';
import { DoctorFixture } from '../support/doctor-fixture.js';

/** What somebody does to a table: the statements, with the prefix for `~`; the check that sees it, and what that says. */
interface Damage {
  readonly what: string;
  readonly check: string;
  readonly says: RegExp;
  readonly sqlite?: string[];
  readonly mariadb?: string[];
  readonly mysql?: string[];
  readonly postgres?: string[];
}

const everywhere = (...sql: string[]) => ({ sqlite: sql, mariadb: sql, mysql: sql, postgres: sql });
const onServers = (family: string, postgres: string) => ({ mariadb: [family], mysql: [family], postgres: [postgres] });
const dropIndex = { sqlite: 'DROP INDEX ~job_reference', family: 'DROP INDEX ~job_reference ON ~job' };
const remake = (columns: string, where = '') => {
  const make = `CREATE INDEX ~job_reference ON ~job (${columns})`;
  const partial = [dropIndex.sqlite, `${make}${where}`];
  return { sqlite: partial, mariadb: [dropIndex.family, make], mysql: [dropIndex.family, make], postgres: partial };
};

const DAMAGES: Damage[] = [
  {
    what: 'a dropped table',
    check: 'schema.tables',
    says: /^error: Tables are missing: '\w+_log'/,
    ...everywhere('DROP TABLE ~log'),
  },
  {
    what: 'a newer version',
    check: 'schema.version',
    says: /^error: .* have version 2, 1 is needed/,
    ...everywhere('UPDATE ~schema SET version = 2'),
  },
  {
    what: 'a dropped column',
    check: 'schema.columns',
    says: /^error: The column \w+_node.clock_skew is missing/,
    ...everywhere('ALTER TABLE ~node DROP COLUMN clock_skew'),
  },
  {
    what: 'a column of somebody else',
    check: 'schema.columns',
    says: /^warning: \w+_job.mine is not ours/,
    ...everywhere('ALTER TABLE ~job ADD COLUMN mine INTEGER NULL'),
  },
  {
    what: 'a column that every insert lacks',
    check: 'schema.columns',
    says: /^error: \w+_job.mine is not ours, NOT NULL and without a default/,
    ...onServers('ALTER TABLE ~job ADD COLUMN mine INT NOT NULL', 'ALTER TABLE ~job ADD COLUMN mine integer NOT NULL'),
  },
  {
    what: 'a column that has become too small',
    check: 'schema.columns',
    says: /^error: The column \w+_job.due is integer, and was made as bigint/,
    ...onServers(
      'ALTER TABLE ~job MODIFY due INT NOT NULL DEFAULT 0',
      'ALTER TABLE ~job DROP CONSTRAINT ~job_due_check, ALTER COLUMN due DROP DEFAULT, ALTER COLUMN due TYPE integer',
    ),
  },
  {
    what: 'a column that has become larger',
    check: 'schema.columns',
    says: /^warning: The column \w+_job.reference is varchar\(500\), and was made as varchar\(255\)/,
    ...onServers(
      'ALTER TABLE ~job MODIFY reference VARCHAR(500) NULL',
      'ALTER TABLE ~job ALTER COLUMN reference TYPE varchar(500)',
    ),
  },
  {
    what: 'a dropped default',
    check: 'schema.columns',
    says: /^error: The column \w+_job.priority has the default none, not 0/,
    ...onServers(
      'ALTER TABLE ~job ALTER COLUMN priority DROP DEFAULT',
      'ALTER TABLE ~job ALTER COLUMN priority DROP DEFAULT',
    ),
  },
  {
    what: 'a dropped index',
    check: 'schema.indexes',
    says: /^error: The index \w+_job_reference on \w+_job is missing/,
    sqlite: [dropIndex.sqlite],
    mariadb: [dropIndex.family],
    mysql: [dropIndex.family],
    postgres: [dropIndex.sqlite],
  },
  {
    what: 'an index over other columns',
    check: 'schema.indexes',
    says: /^error: The index \w+_job_reference on \w+_job is \(reference, service\).*made as \(service, reference\)/,
    ...remake('reference, service', ' WHERE reference IS NOT NULL'),
  },
  {
    what: 'an index over all rows instead of some',
    check: 'schema.indexes',
    says: /^error: The index \w+_job_reference .* is \(service, reference\), and .* where referenceisnotnull/,
    sqlite: remake('service, reference').sqlite,
    postgres: remake('service, reference').postgres,
  },
  {
    what: 'an index that compares names in another way',
    check: 'schema.indexes',
    says: /^error: The index \w+_job_reference on \w+_job is \(service, reference COLLATE NOCASE\)/,
    sqlite: remake('service, reference COLLATE NOCASE', ' WHERE reference IS NOT NULL').sqlite,
  },
  {
    what: 'an index that the database does not use',
    check: 'schema.indexes',
    says: /^error: The index \w+_job_reference on \w+_job is not used by the database/,
    mariadb: ['ALTER TABLE ~job ALTER INDEX ~job_reference IGNORED'],
    mysql: ['ALTER TABLE ~job ALTER INDEX ~job_reference INVISIBLE'],
    postgres: ["UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass('~job_reference')"],
  },
  {
    what: 'an index of somebody else',
    check: 'schema.indexes',
    says: /^warning: The index mine_~?\w* \(trace_id\) on \w+_job is not ours/,
    ...everywhere('CREATE INDEX mine_~ ON ~job (trace_id)'),
  },
  {
    what: 'another collation',
    check: 'schema.collation',
    says: /^error: The column \w+_job.type has the collation (utf8mb4_general_ci|und-x-icu)/,
    ...onServers(
      'ALTER TABLE ~job MODIFY type VARCHAR(128) COLLATE utf8mb4_general_ci NOT NULL',
      'ALTER TABLE ~job ALTER COLUMN type TYPE varchar(128) COLLATE "und-x-icu"',
    ),
  },
  {
    what: 'a table that a crash empties',
    check: 'schema.engine',
    says: /^error: The table \w+_log loses what is written to it: (its engine is MyISAM|it is UNLOGGED)/,
    ...onServers('ALTER TABLE ~log ENGINE=MyISAM', 'ALTER TABLE ~log SET UNLOGGED'),
  },
];

describe.each(databases())('the doctor looks at the tables on $name', (database) => {
  const doctor = new DoctorFixture(database);
  const damages = DAMAGES.flatMap((damage) => {
    const sql = damage[database.name];
    return sql === undefined ? [] : [{ ...damage, sql }];
  });

  it('and finds them as they were made', async () => {
    const findings = await doctor.examine();
    const schema = findings.filter(({ check }) => check.startsWith('schema.'));
    expect(schema.filter(({ level }) => level !== 'ok')).toEqual([]);
    const everywhereChecked = ['schema.version', 'schema.tables', 'schema.columns', 'schema.indexes'];
    const onServersChecked = [...everywhereChecked, 'schema.collation', 'schema.engine'];
    expect(schema.map(({ check }) => check)).toEqual(database.name === 'sqlite' ? everywhereChecked : onServersChecked);
  });

  it('and when they are missing, says so once and leaves out what needs them', async () => {
    const findings = await doctor.examine(undefined, 'none_');
    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([
      {
        check: 'schema.version',
        level: 'error',
        message: "The tables 'none_*' are missing.",
        cure: expect.stringContaining('persistent-queue install'),
      },
    ]);
    expect(findings.at(-1)?.check).toBe('schema.version');
  });

  it.each(damages)('and finds $what', async ({ check, says, sql }) => {
    const prefix = await doctor.install();
    expect(await doctor.look(check, undefined, prefix)).toEqual([expect.stringMatching(/^ok: /)]);
    for (const each of sql) await doctor.dataSource.query(each.replaceAll('~', prefix));
    expect(await doctor.look(check, undefined, prefix)).toContainEqual(expect.stringMatching(says));
    await doctor.dropTables(prefix);
  });
});
