import type { TypeOrmModuleOptions } from '@nestjs/typeorm';
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** No unique key on purpose: a parcel that is shipped twice could be there, and would be counted. */
@Entity()
export class Shipment {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  parcel!: number;
}

/** One file for both applications; whoever starts first, the relay, makes the tables. */
export function databaseIn(file: string, synchronize: boolean): TypeOrmModuleOptions {
  // A busy file is an error at once, which the queue tries again; waiting inside SQLite would freeze the process.
  return { type: 'better-sqlite3', database: file, enableWAL: true, timeout: 0, entities: [Shipment], synchronize };
}
