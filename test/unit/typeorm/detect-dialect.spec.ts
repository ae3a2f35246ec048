import { describe, expect, it } from '@jest/globals';
import { UnsupportedDatabaseError } from '../../../lib/errors/unsupported-database.error.js';
import { detectDialect } from '../../../lib/typeorm/detect-dialect.js';

/** A server that says it is this one. */
const serverOf = (version: string) => ({ query: () => Promise.resolve([{ version }]) });

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
});
