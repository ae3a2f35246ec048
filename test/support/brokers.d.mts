export interface Broker {
  url: string;
  stop(): Promise<void>;
  /** `kill -9`. */
  crash(): Promise<void>;
  /** After `crash()`, on what it has kept. */
  restart(): Promise<void>;
}

export function startRedis(): Promise<Broker | undefined>;
export function startRabbitMq(): Promise<Broker | undefined>;

/** Those whose programs are on this machine. */
export function brokers(): { name: 'Redis' | 'RabbitMQ'; start: () => Promise<Broker | undefined> }[];
