import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/**
 * A notification that went out. No unique key keeps an order from having two of them: only the handler's care does, so that the
 * figure "done twice" is counted and not forced.
 */
@Entity('notification')
export class Notification {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  orderId!: number;

  /** The process that sent it. */
  @Column()
  worker!: number;
}
