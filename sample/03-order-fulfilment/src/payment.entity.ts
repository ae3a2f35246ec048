import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** No unique key on purpose: a second payment of an order could be there, and would be counted. */
@Entity()
export class Payment {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  order!: string;

  @Column()
  process!: number;
}
