import { connect, type Socket } from 'node:net';
import type { TypeOrmModuleOptions } from '@nestjs/typeorm';
import { Shipment } from './shipment.entity.js';

const HOST = '127.0.0.1';

/** A DataSource on the first of these members that can be reached; when that one has died, on the next. */
export function onOneOf(ports: readonly number[], synchronize: boolean): TypeOrmModuleOptions {
  return {
    type: 'mariadb',
    username: 'root',
    database: 'shop',
    entities: [Shipment],
    synchronize,
    // The driver asks this for each new connection, for the pool of the application and for that of the module.
    extra: { stream: nextConnection(ports) },
  };
}

/** Whoever cannot be connected to is passed over from then on: the driver and the queue try again. */
function nextConnection(ports: readonly number[]): () => Socket {
  let chosen = 0;
  return () => {
    const tried = chosen;
    const socket = connect({ host: HOST, port: ports[tried % ports.length] ?? 0, noDelay: true });
    const passOver = () => {
      if (chosen === tried) chosen++;
    };
    socket.once('error', passOver);
    socket.once('connect', () => socket.off('error', passOver));
    return socket;
  };
}
