import { openDataSource, reaching } from './open-data-source.js';
import type { Settings } from './settings.js';
import type { Database } from '../typeorm/database.js';
import { findDatabase } from './where.js';

/** Connections without the module, which would refuse tables that are missing. */
export async function withTables<T>(
  settings: Settings,
  mayCreate: boolean,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const where = await findDatabase(settings);
  const dataSource = await openDataSource(where, mayCreate);
  const { openDatabase } = await import('../typeorm/open-database.js');
  const pool = { connections: 2, serviceName: settings.service };
  try {
    const database = await reaching(where, () => openDatabase(dataSource, pool, () => undefined));
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
  }
}
