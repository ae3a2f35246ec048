import { describe, expect, it } from '@jest/globals';
import { UnsupportedDatabaseError } from '../../../lib/errors/unsupported-database.error.js';
import { detectDialect } from '../../../lib/typeorm/detect-dialect.js';

/** A server that says it is this one, and has these variables. */
const serverOf = (version: string, variables: Record<string, string> = {}) => ({
  query: (sql: string) =>
    Promise.resolve(
      sql.startsWith('SHOW')
        ? Object.entries(variables).map(([name, value]) => ({ Variable_name: name, Value: value }))
        : [{ version }],
    ),
});

const inGroup = (name: string, singlePrimary: string) =>
  serverOf('8.4.6', {
    group_replication_group_name: name,
    group_replication_single_primary_mode: singlePrimary,
  });
const GROUP = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa';

describe('detectDialect', () => {
  // Its SKIP LOCKED is accepted and locks nothing: two nodes would claim the same jobs.
  it.each(['8.0.11-TiDB-v8.5.6', '8.4.0-TiDB-v9.0.0'])(
    'refuses TiDB, whatever MySQL it says it is: %s',
    async (version) => {
      const detected = detectDialect({ type: 'mysql' }, serverOf(version));
      await expect(detected).rejects.toThrow(UnsupportedDatabaseError);
      await expect(detected).rejects.toThrow(/TiDB/);
    },
  );

  it('takes the version of Aurora for that of the MySQL that it is', async () => {
    expect((await detectDialect({ type: 'mysql' }, serverOf('8.0.39'))).name).toBe('mysql');
    await expect(detectDialect({ type: 'mysql' }, serverOf('5.7.12'))).rejects.toThrow(UnsupportedDatabaseError);
  });

  it('refuses a member of a group in multi-primary mode, and says how to make it single-primary', async () => {
    const detected = detectDialect({ type: 'mysql' }, inGroup(GROUP, 'OFF'));
    await expect(detected).rejects.toThrow(UnsupportedDatabaseError);
    await expect(detected).rejects.toThrow(/group_replication_switch_to_single_primary_mode/);
  });

  it('takes a group in single-primary mode, and a server that is in no group, for a MySQL like others', async () => {
    expect((await detectDialect({ type: 'mysql' }, inGroup(GROUP, 'ON'))).locksAreLocal).toBe(false);
    expect((await detectDialect({ type: 'mysql' }, inGroup('', 'OFF'))).locksAreLocal).toBe(false);
  });

  it('knows a member of a Galera cluster', async () => {
    const detected = detectDialect({ type: 'mariadb' }, serverOf('10.11.19-MariaDB', { wsrep_on: 'ON' }));
    expect((await detected).locksAreLocal).toBe(true);
  });
});
