import { connect, type Socket } from 'node:net';
import type { TypeOrmModuleOptions } from '@nestjs/typeorm';
import { Shipment } from './shipment.entity.js';

/** A DataSource on the first of these members (`host:port`) that can be reached; when that one has died, on the next. */
export function onOneOf(members: readonly string[], synchronize: boolean): TypeOrmModuleOptions {
  return {
    type: 'mariadb',
    username: 'root',
    database: 'shop',
    entities: [Shipment],
    synchronize,
    // The driver asks this for each new connection, for the pool of the application and for that of the module.
    extra: { stream: nextConnection(members) },
  };
}

/** Whoever cannot be connected to is passed over from then on: the driver and the queue try again. */
function nextConnection(members: readonly string[]): () => Socket {
  let chosen = 0;
  return () => {
    const tried = chosen;
    const { hostname, port } = new URL(`mysql://${members[tried % members.length]}`);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    const passOver = () => {
      if (chosen === tried) chosen++;
    };
    socket.once('error', passOver);
    socket.once('connect', () => socket.off('error', passOver));
    return socket;
  };
}
