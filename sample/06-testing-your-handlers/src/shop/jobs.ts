import { defineJob } from 'nestjs-persistent-queue';

export const OrderConfirm = defineJob<{ orderId: number }>('order.confirm', { maxRetries: 3, waitTime: '3m' });
export const OrderCharge = defineJob<{ orderId: number }>('order.charge', { transactional: true, waitTime: '1m' });
export const OrderRemind = defineJob<{ orderId: number; reminder: number }>('order.remind');
export const OrderFulfil = defineJob<{ orderId: number }>('order.fulfil', { waitTime: '5m' });
