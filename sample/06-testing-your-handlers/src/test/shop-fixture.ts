import { after, beforeEach } from 'node:test';
import { Logger } from '@nestjs/common';
import type { TestingModule } from '@nestjs/testing';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { JobQueue } from 'nestjs-persistent-queue';
import { testQueue, usePersistentQueueTesting, type TestQueue } from 'nestjs-persistent-queue/testing';
import { DataSource, type EntityManager } from 'typeorm';
import { Order, Payment } from '../shop/entities.js';
import { OrderDesk } from '../shop/order-desk.js';
import { OutsideWorld } from '../shop/outside-world.js';
import { ShopModule } from '../shop/shop.module.js';

export const MONDAY = new Date('2030-01-07T12:00:00Z');

/** Remembers what it was asked, and answers what the test wants. */
export class FakeWorld extends OutsideWorld {
  readonly mails: string[] = [];
  readonly charged: number[] = [];
  readonly shipped: number[] = [];
  /** Called before each answer: to throw, to wait, or to let the process die. */
  before: (what: 'mail' | 'bank' | 'ship') => unknown = () => undefined;
  bank: 'paid' | 'declined' = 'paid';

  override async mail(to: string, text: string): Promise<string> {
    this.mails.push(`${to}: ${text}`);
    await this.before('mail');
    return `mail ${this.mails.length}`;
  }

  override async askBank(orderId: number): Promise<'paid' | 'declined'> {
    this.charged.push(orderId);
    await this.before('bank');
    return this.bank;
  }

  override async ship(orderId: number): Promise<string> {
    this.shipped.push(orderId);
    await this.before('ship');
    return `parcel-${orderId}`;
  }
}

export interface Shop {
  readonly queue: TestQueue;
  readonly jobQueue: JobQueue;
  readonly desk: OrderDesk;
  readonly world: FakeWorld;
  readonly manager: EntityManager;
}

/** One application for all tests of a file, emptied before each of them. */
export async function openShop(): Promise<Shop> {
  const app: TestingModule = await usePersistentQueueTesting(
    Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({
          type: 'better-sqlite3',
          database: ':memory:',
          entities: [Order, Payment],
          synchronize: true,
        }),
        ShopModule,
      ],
    })
      .overrideProvider(OutsideWorld)
      .useClass(FakeWorld),
  ).compile();
  Logger.overrideLogger(false);
  await app.init();
  const { manager } = app.get(DataSource);
  const queue = testQueue(app);
  const world = app.get<FakeWorld>(OutsideWorld);
  beforeEach(async () => {
    queue.clear();
    queue.clock.set(MONDAY);
    Object.assign(world, new FakeWorld());
    await manager.clear(Order);
    await manager.clear(Payment);
  });
  after(() => app.close());
  return { queue, jobQueue: app.get(JobQueue), desk: app.get(OrderDesk), world, manager };
}
