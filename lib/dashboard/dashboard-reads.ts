import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';

/**
 * The queue of one of the dashboard's reads after the other. Jobs are claimed and enqueued over a few connections (3 by default): whoever
 * looks on takes one of them at most, however many they are.
 */
@Injectable()
export class DashboardReads {
  private readonly oneAtATime = pLimit(1);

  /** Never within another one: that would wait for itself. */
  readonly inTurn = <T>(read: () => Promise<T>): Promise<T> => this.oneAtATime(read);
}
