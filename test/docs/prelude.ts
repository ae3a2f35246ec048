/**
 * What the snippets of README.md and docs/ use without declaring it: an application with orders. Global, so that a snippet may
 * declare its own; a text and no module, so that no other file of the repository can use these names by mistake.
 */
export const PRELUDE = `
declare class Order {
  id: number;
  number: string;
  email: string;
}
declare const order: Order;
declare const orders: Order[];
declare const orderId: number;
declare const jobQueue: import('nestjs-persistent-queue').JobQueue;
declare const schedules: import('nestjs-persistent-queue').Schedules;
declare const dataSource: import('typeorm').DataSource;
declare const queryRunner: import('typeorm').QueryRunner;
declare const app: import('@nestjs/common').INestApplicationContext;
declare class AppModule {}
declare class OrderJobs {}
declare class ConfigService {
  get(name: string): string;
}
declare class Invoice {
  orderId: number;
  price: number;
}
declare const broker: { publish(queue: string, message: object): Promise<void> };
declare function priceOf(orderId: number): Promise<number>;
declare const mailer: { send(to: string, text: string, options?: { signal?: AbortSignal; idempotencyKey?: string }): Promise<string> };
`;
