import type { DataSource } from 'typeorm';
import { MissingPackageError } from '../errors/missing-package.error.js';
import type { PersistentQueueOptions } from '../options/module-options.js';
import type { Services } from './context.js';
import { openDataSource, reaching } from './open-data-source.js';
import type { Settings } from './settings.js';
import { findDatabase } from './where.js';

export type Session = Services;

/** `more`: what a command needs otherwise than by default. */
export async function openSession(settings: Settings, more: PersistentQueueOptions = {}): Promise<Session> {
  const where = await findDatabase(settings);
  const dataSource = await openDataSource(where);
  try {
    const { startServices } = await loadContext();
    const options = { serviceName: settings.service, tablePrefix: settings.prefix, ...more };
    const services = await reaching(where, () => startServices(dataSource, options));
    return {
      ...services,
      close: async () => {
        await services.close();
        await close(dataSource);
      },
    };
  } catch (error) {
    await close(dataSource);
    throw error;
  }
}

async function close(dataSource: DataSource): Promise<void> {
  if (dataSource.isInitialized) await dataSource.destroy();
}

/** Nest takes most of the time that a command needs: `--help` does without it. */
async function loadContext(): Promise<typeof import('./context.js')> {
  try {
    return await import('./context.js');
  } catch (error) {
    const missing = /Cannot find package '([^']+)'/.exec(error instanceof Error ? error.message : '')?.[1];
    if (missing === undefined) throw error;
    throw new MissingPackageError(missing, 'commands on jobs', { cause: error });
  }
}
