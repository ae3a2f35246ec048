import 'reflect-metadata';
import { setTimeout } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { CardDeclinedError, OrderDesk } from './orders/order-desk.js';
import { readOrders } from './orders/order-file.js';

const BETWEEN_CUSTOMERS = 25;

const [database = 'shop.sqlite', orderFile = 'orders.json'] = process.argv.slice(2);
const orders = readOrders(orderFile);

const app = await NestFactory.createApplicationContext(AppModule.for(database, ['enqueue']), { logger: ['error'] });
const orderDesk = app.get(OrderDesk);

// The director has gone: nobody else would stop this process.
process.once('disconnect', () => process.exit());
process.send?.('ready');

for (const order of orders) {
  try {
    await orderDesk.place(order);
  } catch (error) {
    if (!(error instanceof CardDeclinedError)) throw error;
  }
  await setTimeout(BETWEEN_CUSTOMERS);
}

await app.close();
// The channel to the director would keep this process alive.
process.exit();
