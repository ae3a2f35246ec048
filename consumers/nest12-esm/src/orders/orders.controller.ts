import { Body, Controller, Get, Post } from '@nestjs/common';
import { Notification } from './notification.entity.js';
import { Order } from './order.entity.js';
import { OrdersService } from './orders.service.js';

@Controller()
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Post('orders')
  place(@Body() { item }: { item: string }): Promise<Order> {
    return this.orders.place(item);
  }

  @Get('orders')
  all(): Promise<Order[]> {
    return this.orders.all();
  }

  @Get('notifications')
  notifications(): Promise<Notification[]> {
    return this.orders.notifications();
  }
}
