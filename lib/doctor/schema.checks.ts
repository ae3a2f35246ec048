import { expectedTables } from '../typeorm/doctor/expected-tables.js';
import type { Patient } from '../typeorm/doctor/patient.js';
import { readTables, readVersion } from '../typeorm/doctor/read-tables.js';
import type { TableFacts } from '../typeorm/doctor/table-facts.js';
import { SCHEMA_VERSION } from '../typeorm/schema/schema.js';
import { error, listed, MYSQL_FAMILY, ok, orFine, type Check, type Verdict } from './check.js';
import { compareCollations, compareColumns, compareIndexes, type ComparedTable } from './compare-tables.js';

const INSTALL = 'Run "persistent-queue install", or the migrations of nestjs-persistent-queue/migrations.';
const UPGRADE = 'Run "persistent-queue upgrade", or the migrations of nestjs-persistent-queue/migrations.';

export const versionCheck: Check = {
  name: 'schema.version',
  look: async (patient) => {
    const found = await patient.ask(readVersion).catch((cause: unknown) => {
      if (patient.tables.dialect.isMissingTable(cause)) return 0;
      throw cause;
    });
    const tables = `The tables '${patient.tablePrefix}*'`;
    if (found === SCHEMA_VERSION) return [ok(`${tables} have version ${found}.`)];
    if (found === 0) return [error(`${tables} are missing.`, INSTALL)];
    const message = `${tables} have version ${found}, ${SCHEMA_VERSION} is needed.`;
    if (found < SCHEMA_VERSION) return [error(message, UPGRADE)];
    return [error(message, 'Use the newer nestjs-persistent-queue that has upgraded them.')];
  },
};

/** All of them look at the same description of the tables, which is read once. */
export function schemaChecks(): Check[] {
  let reading: Promise<TableFacts[]> | undefined;
  const read = (patient: Patient) => (reading ??= patient.ask(readTables));
  const comparing = (compare: (table: ComparedTable) => Verdict[], fine: string) => async (patient: Patient) =>
    orFine((await pairUp(patient, read)).flatMap(compare), fine);
  return [
    {
      name: 'schema.tables',
      look: async (patient) => {
        const found = new Set((await read(patient)).map(({ name }) => name));
        const missing = expectedTables(patient.tables).filter(({ name }) => !found.has(name));
        if (missing.length === 0) return [ok(`All ${found.size} tables are there.`)];
        const names = listed(missing.map(({ name }) => name));
        return [
          error(`Tables are missing: ${names}.`, 'Restore them from a backup, or uninstall and install all tables.'),
        ];
      },
    },
    {
      name: 'schema.columns',
      look: comparing(compareColumns, 'All columns are as they were made.'),
    },
    {
      name: 'schema.indexes',
      look: comparing(compareIndexes, 'All indexes are as they were made.'),
    },
    {
      name: 'schema.collation',
      on: ['mariadb', 'mysql', 'postgres'],
      look: comparing(compareCollations, 'Names are compared by bytes.'),
    },
    {
      name: 'schema.engine',
      on: [...(MYSQL_FAMILY ?? []), 'postgres'],
      look: comparing(judgeStorage, 'All tables keep what is committed.'),
    },
  ];
}

async function pairUp(patient: Patient, read: (patient: Patient) => Promise<TableFacts[]>): Promise<ComparedTable[]> {
  const found = new Map((await read(patient)).map((table) => [table.name, table]));
  return expectedTables(patient.tables).flatMap((expected) => {
    const table = found.get(expected.name);
    return table === undefined ? [] : [{ expected, found: table }];
  });
}

function judgeStorage({ found: { name, unsafe } }: ComparedTable): Verdict[] {
  if (unsafe === undefined) return [];
  return [error(`The table ${name} loses what is written to it: ${unsafe.why}.`, unsafe.cure)];
}
