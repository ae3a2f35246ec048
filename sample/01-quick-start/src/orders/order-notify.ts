import { defineJob } from 'nestjs-persistent-queue';

/** The job, defined once: who enqueues it and who handles it are both checked by the compiler. */
export const OrderNotify = defineJob<{ orderId: number }>('order.notify', { maxRetries: 3, waitTime: '500ms' });
