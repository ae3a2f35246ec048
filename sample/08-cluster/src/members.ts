import { connect } from 'node:net';
import type { TypeOrmModuleOptions } from '@nestjs/typeorm';
import { Shipment } from './shipment.entity.js';

/** They are all at one port, as on machines of their own. */
export interface Members {
  readonly addresses: readonly string[];
  readonly port: number;
}

/** A DataSource on the first of these members that can be reached. */
export function onFirstOf({ addresses, port }: Members, synchronize: boolean): TypeOrmModuleOptions {
  const found = addresses.map((address) => ({ address, family: 4 }));
  return {
    type: 'mariadb',
    username: 'root',
    database: 'shop',
    entities: [Shipment],
    synchronize,
    extra: {
      // The driver asks this for each new connection, for the pool of the application and for that of the module.
      stream: () =>
        connect({
          host: 'galera',
          port,
          noDelay: true,
          autoSelectFamily: true,
          lookup: (_host, _options, answer) => answer(null, found),
        }),
    },
  };
}
