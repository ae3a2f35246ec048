import { Transport, type RedisOptions, type RmqOptions } from '@nestjs/microservices';

/** What is known by name on both sides. */
export const SHIP = 'parcel.ship';

/** A job on its way: what the consumer does, and what it gives back when it has done it. */
export interface Shipping {
  readonly parcel: number;
  readonly job: string;
  readonly delivery: number;
}

/** For the relay: a broker that is down refuses at once, one that is silent within 5 s. */
export function sendingTo(url: string): RedisOptions | RmqOptions {
  return isRabbitMq(url)
    ? rabbitMq(url, { persistent: true })
    : redis(url, { commandTimeout: 5_000, maxRetriesPerRequest: 0 });
}

/**
 * For the consumer: it comes back when its broker does. RabbitMQ keeps a message until it is acknowledged; Redis keeps none, and the
 * consumer is slow to reconnect, so that you see what becomes of messages that nobody was listening for.
 */
export function consumingFrom(url: string): RedisOptions | RmqOptions {
  return isRabbitMq(url) ? rabbitMq(url, { noAck: false, prefetchCount: 10 }) : redis(url, { retryDelay: 3_000 });
}

export function isRabbitMq(url: string): boolean {
  return url.startsWith('amqp:');
}

function redis(url: string, more: RedisOptions['options']): RedisOptions {
  const { hostname: host, port } = new URL(url);
  const options = { host, port: Number(port), retryAttempts: Infinity, retryDelay: 500, ...more };
  return { transport: Transport.REDIS, options };
}

function rabbitMq(url: string, more: RmqOptions['options']): RmqOptions {
  const socketOptions = { heartbeatIntervalInSeconds: 5, reconnectTimeInSeconds: 1 };
  const options = { urls: [url], queue: SHIP, queueOptions: { durable: true }, socketOptions, ...more };
  return { transport: Transport.RMQ, options };
}
