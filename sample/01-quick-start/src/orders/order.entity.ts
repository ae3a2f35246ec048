import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity('shop_order')
export class Order {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ unique: true })
  number!: string;

  @Column()
  customer!: string;

  @Column()
  email!: string;

  @Column('real')
  total!: number;
}
