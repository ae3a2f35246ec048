import { Injectable } from '@nestjs/common';
import { Cron, CronExpression } from '@nestjs/schedule';
import { WithLock } from 'nestjs-persistent-queue';

@Injectable()
export class NightShift {
  private begin!: () => void;
  readonly ran = new Promise<void>((resolve) => (this.begin = resolve));

  /** In one process at a time, however many there are. */
  @Cron(CronExpression.EVERY_SECOND)
  @WithLock('night-shift', { atMost: '1m' })
  work(): void {
    this.begin();
  }
}
