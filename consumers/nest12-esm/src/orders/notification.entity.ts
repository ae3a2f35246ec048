import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** No unique key: a notification that went out twice is there twice. */
@Entity()
export class Notification {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  orderId!: number;
}
