import type { DataSource, DataSourceOptions } from 'typeorm';
import { ownOptions } from './open-database.js';
import type { PoolSettings } from './server-options.js';

/** Options that can be sent to a thread, where `openFrom()` takes them. */
export interface PlainOptions {
  readonly options: DataSourceOptions;
  /** `password` is a function: the thread has to ask the main thread. */
  readonly asksPassword: boolean;
}

/** What a connection has no use for. */
const NOT_FOR_CONNECTIONS = { namingStrategy: undefined, cache: undefined, poolErrorHandler: undefined };

/** The parsers are ours, and are set again by `openFrom()`. A new connection may need a password from a main thread that is busy. */
const KEPT_OPEN = { types: undefined, idleTimeoutMillis: 0, maxUses: Infinity, maxLifetimeSeconds: 0 };

/** Answers why not, where they hold something that cannot leave its thread: a class, a function, a handle. */
export function plainOptions(application: DataSource, pool: PoolSettings): PlainOptions | string {
  const own = ownOptions(application, pool) as DataSourceOptions & { password?: unknown; extra?: object };
  const asksPassword = typeof own.password === 'function';
  const options: object = {
    ...own,
    ...NOT_FOR_CONNECTIONS,
    password: asksPassword ? undefined : own.password,
    extra: own.type === 'postgres' ? { ...own.extra, ...KEPT_OPEN } : own.extra,
  };
  const obstacle = findObstacle(options, 'dataSource');
  if (obstacle !== undefined) return `${obstacle} cannot be handed to a thread`;
  return { options: options as DataSourceOptions, asksPassword };
}

/** The path of the first value that would not arrive as it is. */
function findObstacle(value: unknown, path: string): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') return path;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== null && Object.getPrototypeOf(prototype) !== null) return path;
  for (const [name, inner] of Object.entries(value)) {
    const obstacle = findObstacle(inner, `${path}.${name}`);
    if (obstacle !== undefined) return obstacle;
  }
  return undefined;
}
