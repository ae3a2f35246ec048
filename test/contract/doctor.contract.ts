import { describe, expect } from '@jest/globals';
import { examine } from '../../lib/doctor/examine.js';
import type { ContractContext } from './contract-context.js';

/** What the doctor says of tables that have just been made. */
export function doctorContract(context: ContractContext): void {
  describe('the doctor', () => {
    context.itWithSql('finds the tables as this server makes them', async () => {
      const { service } = await context.open();
      const findings = await examine(context.dataSource, { serviceName: service, tablePrefix: 'pq_' });
      const ofTables = findings.filter(({ check }) => check.startsWith('schema.'));
      expect(ofTables.filter(({ level }) => level !== 'ok')).toEqual([]);
      expect(ofTables.map(({ check }) => check)).toEqual(expect.arrayContaining(['schema.columns', 'schema.indexes']));
    });
  });
}
