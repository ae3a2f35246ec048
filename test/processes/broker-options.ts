import { Transport, type RedisOptions, type RmqOptions } from '@nestjs/microservices';

/** What a test tells a process of a relay. */
export interface Relayed {
  /** Of the job. */
  id: string;
  delivery: number;
}

export const PATTERN = 'parcel.ship';

/** For the process that sends: what cannot be sent is refused at once, or soon. */
export function sendingTo(url: string): RedisOptions | RmqOptions {
  const { protocol, hostname: host, port } = new URL(url);
  if (protocol === 'amqp:') {
    const socketOptions = { heartbeatIntervalInSeconds: 5, reconnectTimeInSeconds: 1 };
    const queueOptions = { durable: true };
    return {
      transport: Transport.RMQ,
      options: { urls: [url], queue: PATTERN, queueOptions, persistent: true, socketOptions },
    };
  }
  const again = { retryAttempts: Infinity, retryDelay: 1_000 };
  const options = { host, port: Number(port), ...again, commandTimeout: 5_000, maxRetriesPerRequest: 0 };
  return { transport: Transport.REDIS, options };
}

/** For the process that consumes: it comes back whenever its broker does. */
export function consumingFrom(url: string): RedisOptions | RmqOptions {
  const { protocol, hostname: host, port } = new URL(url);
  if (protocol === 'amqp:') {
    const socketOptions = { heartbeatIntervalInSeconds: 5, reconnectTimeInSeconds: 1 };
    const queueOptions = { durable: true };
    return {
      transport: Transport.RMQ,
      options: { urls: [url], queue: PATTERN, queueOptions, noAck: false, prefetchCount: 100, socketOptions },
    };
  }
  const options = { host, port: Number(port), retryAttempts: Infinity, retryDelay: 1_000 };
  return { transport: Transport.REDIS, options };
}
