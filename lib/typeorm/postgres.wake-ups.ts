import { InvalidOptionError } from '../errors/invalid-option.error.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { WakeUps, type WakeUpChannel, type WakeUpListener } from '../signal/wake-ups.js';
import type { ApplicationDataSource } from './application-data-source.js';
import { openOne } from './open-database.js';
import { PostgresWakeUpChannel } from './postgres.wake-up-channel.js';

/** LISTEN and NOTIFY of the application's own PostgreSQL. */
export class PostgresWakeUps extends WakeUps {
  constructor(
    private readonly application: ApplicationDataSource,
    private readonly options: ResolvedOptions,
  ) {
    super();
  }

  /** @throws InvalidOptionError when the application's database has no NOTIFY */
  async open(listener: WakeUpListener): Promise<WakeUpChannel> {
    const application = this.application.get();
    const { type } = application.options;
    if (type !== 'postgres') {
      const cure = `Its DataSource is of type '${type}', which has no NOTIFY: give redisWakeUps(), or leave it out.`;
      throw new InvalidOptionError('PersistentQueueModule.forRoot().wakeUps', 'postgres', cure);
    }
    const { serviceName } = this.options;
    return new PostgresWakeUpChannel(() => openOne(application, serviceName), listener);
  }
}
