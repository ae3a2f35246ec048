import { Module } from '@nestjs/common';
import { CoreModule } from './core.module.js';
import { OrdersController } from './orders/orders.controller.js';

@Module({ imports: [CoreModule.as('enqueue')], controllers: [OrdersController] })
export class ApiModule {}
