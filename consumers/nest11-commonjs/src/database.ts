import type { TypeOrmModuleOptions } from '@nestjs/typeorm';
import { NodeSqlite } from 'nestjs-persistent-queue/node-sqlite';

/** `better-sqlite3`, or with `SQLITE_DRIVER=node` the one that Node 22 and newer bring. */
export function databaseOptions(): TypeOrmModuleOptions {
  return {
    type: 'better-sqlite3',
    ...(process.env.SQLITE_DRIVER === 'node' && { driver: NodeSqlite }),
    database: process.env.DATABASE ?? 'shop.sqlite',
    enableWAL: true,
    timeout: 0,
    autoLoadEntities: true,
    synchronize: true,
  };
}
