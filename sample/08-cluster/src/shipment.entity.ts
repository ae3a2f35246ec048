import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** No unique key on purpose: an order that is shipped twice could be there, and would be counted. */
@Entity()
export class Shipment {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  order!: number;

  @Column()
  worker!: number;

  /** Of the cluster, which the row was written on. */
  @Column()
  member!: string;

  /** Milliseconds, of the clock that all of them share here. */
  @Column({ type: 'double' })
  at!: number;
}
