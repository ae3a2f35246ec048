import { describe, expect, it } from '@jest/globals';
import { detectDialect } from '../../lib/typeorm/detect-dialect.js';
import type { ContractContext } from './contract-context.js';

/** 25 October 2026, 02:30 in Berlin happens twice: first in summer time, an hour later in winter time. */
const OVERLAP = [Date.UTC(2026, 9, 25, 0, 30), Date.UTC(2026, 9, 25, 1, 30)];

export function clockContract(context: ContractContext): void {
  describe('the clock', () => {
    it('counts UTC milliseconds in a session whose zone is not UTC', async () => {
      const dialect = await detectDialect(context.dataSource.options, context.dataSource);
      const before = Date.now();
      const [row] = await context.dataSource.query<{ now: string }[]>(`SELECT ${dialect.now} AS now`);
      expect(Number(row?.now)).toBeGreaterThanOrEqual(before - 5);
      expect(Number(row?.now)).toBeLessThanOrEqual(Date.now() + 5);
    });

    if (['mariadb', 'mysql'].includes(context.database.name)) {
      it('does not go back an hour in the autumn overlap', async () => {
        const { now } = await detectDialect(context.dataSource.options, context.dataSource);
        await context.dataSource.transaction(async (manager) => {
          for (const time of OVERLAP) {
            await manager.query(`SET timestamp = ${time / 1000}`);
            const [row] = await manager.query<
              {
                now: string;
                wall: string;
              }[]
            >(`SELECT ${now} AS now, CAST(NOW() AS CHAR) AS wall`);
            expect(row?.wall).toBe('2026-10-25 02:30:00');
            expect(Number(row?.now)).toBe(time);
          }
          await manager.query('SET timestamp = DEFAULT');
        });
      });
    }

    if (context.database.name === 'postgres') {
      it('does not go back an hour in the autumn overlap', async () => {
        const { now } = await detectDialect(context.dataSource.options, context.dataSource);
        for (const time of OVERLAP) {
          const at = now.replace('statement_timestamp()', `to_timestamp(${time / 1000})`);
          const sql = `SELECT ${at} AS now, to_char(to_timestamp(${time / 1000}), 'HH24:MI') AS wall`;
          const [row] = await context.dataSource.query<{ now: string; wall: string }[]>(sql);
          expect(row).toEqual({ now: String(time), wall: '02:30' });
        }
      });
    }
  });
}
