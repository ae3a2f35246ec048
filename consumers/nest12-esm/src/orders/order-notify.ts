import { defineJob } from 'nestjs-persistent-queue';

export const OrderNotify = defineJob<{ orderId: number }>('order.notify', { maxRetries: 3, waitTime: '1s' });
