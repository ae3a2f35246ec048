/**
 * What a way between processes tells the module. All may be called at any time, any number of times, and throw nothing.
 *
 * @publicApi
 */
export interface WakeUpListener {
  /** The same in all processes that share tables: of letters, digits and underscores, at most 40 of them. */
  readonly topic: string;
  /** Whether this process wants to hear anything, because it runs jobs; the others only send. */
  readonly listens: boolean;
  /** For PostgreSQL's and Redis's lists of clients. */
  readonly clientName: string;
  /** Whatever has come: it is checked. The own messages may come back. */
  hear(message: string): void;
  /** Messages come and go, from now on: what was sent before may be lost. */
  connected(): void;
  /** None do. Whoever tells so tries again by itself. */
  lost(error: unknown): void;
}

/**
 * The open way of one module.
 *
 * @publicApi
 */
export interface WakeUpChannel {
  /** Text of at most 7,900 bytes. Rejects at once while there is no connection: hints do not queue up. */
  send(message: string): Promise<void>;
  /** Does not wait for a server that is away. */
  close(): Promise<void>;
}

/**
 * How processes wake each other, for `forRoot({ wakeUps })`: `'postgres'`, `redisWakeUps()` of `nestjs-persistent-queue/redis`, or a class of
 * yours. What it carries are hints: lost, doubled, late or forged ones cost latency, and never a job.
 *
 * @publicApi
 */
export abstract class WakeUps {
  /**
   * Begins to connect, and does not wait for it: a server that is away must not keep an application from starting.
   *
   * @throws for what could never be used, such as a package that is not installed
   */
  abstract open(listener: WakeUpListener): Promise<WakeUpChannel>;
}
