import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity('shop_order')
export class Order {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  email!: string;

  @Column()
  price!: number;

  @Column({ default: 'open' })
  state!: string;
}

/** Without a unique key on purpose: a second payment of an order could be there. */
@Entity('shop_payment')
export class Payment {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column()
  orderId!: number;

  @Column()
  price!: number;
}
