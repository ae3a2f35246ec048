import { Inject, Injectable, Module, type DynamicModule } from '@nestjs/common';
import { ClientsModule, type ClientProxy } from '@nestjs/microservices';
import { TypeOrmModule } from '@nestjs/typeorm';
import { JobHandler, PersistentQueueModule, type JobContext } from 'nestjs-persistent-queue';
import { defer, retry, tap, type Observable } from 'rxjs';
import { sendingTo, SHIP, type Shipping } from './broker.js';
import { databaseIn } from './database.js';

const BROKER = 'broker';

/** How often a broker has taken which parcel. */
@Injectable()
export class Sent {
  readonly times = new Map<number, number>();

  add(parcel: number): void {
    this.times.set(parcel, (this.times.get(parcel) ?? 0) + 1);
  }
}

@Injectable()
export class ParcelRelay {
  constructor(
    @Inject(BROKER) private readonly broker: ClientProxy,
    private readonly sent: Sent,
  ) {}

  /** Completes when the broker has the message. Until then it tries, for a second; then the job waits for one, and is tried again. */
  @JobHandler(SHIP, { ack: 'manual', ackTimeout: '3s', timeout: '10s', maxRetries: Infinity, waitTime: '1s' })
  ship({ parcel }: { parcel: number }, { id, delivery }: JobContext): Observable<void> {
    const message: Shipping = { parcel, job: id, delivery };
    return defer(() => this.broker.emit<void>(SHIP, message)).pipe(
      retry({ count: 4, delay: 250 }),
      tap({ complete: () => this.sent.add(parcel) }),
    );
  }
}

/** The application that has the jobs. */
@Module({ providers: [ParcelRelay, Sent] })
export class RelayModule {
  static for(file: string, broker: string): DynamicModule {
    return {
      module: RelayModule,
      imports: [
        TypeOrmModule.forRoot(databaseIn(file, true)),
        PersistentQueueModule.forRoot({ serviceName: 'shop', poll: { max: '200ms' } }),
        ClientsModule.register([{ name: BROKER, ...sendingTo(broker) }]),
      ],
    };
  }
}
