import pLimit from 'p-limit';
import type { EntityManager } from 'typeorm';
import { ClaimHome } from '../completion/claim-home.js';
import { OperationHungError } from '../errors/operation-hung.error.js';
import type { QueueEvents } from '../events/queue-events.js';
import type { ClaimedJob } from '../job/job.js';
import type { OperationJob } from '../job/operation.js';
import { hasEnded, type Settlement } from '../job/settlement.js';
import type { Lock } from '../lock/lock.js';
import type { OperationRepository, RowSettlement } from '../repository/operation-repository.js';
import { processName } from '../support/process-name.js';
import { within } from '../support/within.js';
import type { ApplicationTransactions } from '../typeorm/application-transactions.js';
import type { WorkerPool } from '../worker/worker-pool.js';
import type { OperationDefinition } from './operation-definition.js';
import { RowBook } from './row-book.js';
import { concludeCrashed, runsAgain, toClaim, toRetried, toSettled } from './row-job.js';
import { RowLoader } from './row-loader.js';
import { RowSettler } from './row-settler.js';

/** What a term needs of the module. */
export interface OperationTools {
  readonly pool: WorkerPool;
  readonly repository: OperationRepository;
  readonly transactions: ApplicationTransactions;
  readonly events: QueueEvents;
}

/**
 * One operation, for as long as this process holds its lock:
 *
 *     take over ──► load ──► start (under the fence) ──► pool ──► settle (under the fence) ──► load …
 *                                                          │
 *                                         lock lost: handlers are told, and nothing of them counts
 */
export class OperationTerm extends ClaimHome {
  readonly keepsSteps = false;
  private readonly book: RowBook;
  private readonly loader: RowLoader;
  private readonly settler: RowSettler;
  /** More than one transaction that locks the lock's row would only wait for the other, with a connection each. */
  private readonly oneAtATime = pLimit(1);
  private isReleased = false;

  constructor(
    private readonly definition: OperationDefinition,
    private readonly lock: Lock,
    private readonly tools: OperationTools,
    private readonly onWritten: () => void,
  ) {
    super();
    this.book = new RowBook(definition.handler.options.maxCrashes);
    this.loader = new RowLoader(definition, tools.transactions, tools.events);
    const wrote = () => {
      tools.pool.wasWritten();
      onWritten();
    };
    this.settler = new RowSettler(definition.type, (batch) => this.write(batch), tools.events, wrote);
    lock.signal.addEventListener('abort', () => this.lose(), { once: true });
  }

  get isOver(): boolean {
    return this.isReleased || this.lock.signal.aborted;
  }

  get isEmpty(): boolean {
    return this.settler.isIdle;
  }

  /** Rows that have begun here and whose end is not written. */
  get size(): number {
    return this.book.size;
  }

  /** Milliseconds until a row that waits for its next attempt is due. */
  get nextDueIn(): number | undefined {
    return this.book.nextDueIn;
  }

  async begin(): Promise<void> {
    const { type } = this.definition;
    this.book.know(await this.underLock((manager) => this.tools.repository.takeOver(manager, type)));
    this.settler.start();
    this.tools.events.emit({ name: 'operation.led', operation: type, fence: this.lock.fence });
  }

  /** Loads and starts up to `wanted` rows; answers how many. */
  async load(wanted: number): Promise<number> {
    const rows = this.book.choose(await this.askForRows(wanted), wanted);
    if (rows.length === 0) return 0;
    const { type, handler } = this.definition;
    const { fence } = this.lock;
    const ids = rows.map(({ id }) => String(id));
    const now = await this.underLock((manager) => this.tools.repository.start(manager, type, fence, ids));
    this.book.setClock(now);
    const claims = rows.map((row) => toClaim(row, this.book.begin(row), { handler, fence, now }));
    const { maxCrashes } = handler.options;
    for (const claim of claims) if (claim.crashes >= maxCrashes) this.fail(claim);
    this.tools.pool.accept(
      claims.filter(({ crashes }) => crashes < maxCrashes),
      this,
    );
    return rows.length;
  }

  payloadOf({ id }: ClaimedJob): unknown {
    return this.book.get(id)?.row.payload;
  }

  starting(): boolean {
    return !this.isOver;
  }

  ended(): void {}

  settle(settlement: Settlement): void {
    const running = this.book.get(settlement.id);
    if (!this.isOver && running !== undefined) this.settler.add({ turn: running.turn, settlement });
  }

  async settleIn(manager: EntityManager, settlement: Settlement): Promise<boolean> {
    const turn = this.book.get(settlement.id)?.turn ?? 0;
    return (await this.writeIn(manager, [{ turn, settlement }])) === 1;
  }

  completed(settlement: Settlement): void {
    this.book.end(settlement);
    this.onWritten();
  }

  /** Whoever waits for rows need not any more. */
  stopLoading(): void {
    this.loader.stop();
  }

  /** Writes what is left, and gives the lock to whoever wants it. */
  async end(): Promise<void> {
    try {
      await this.settler.stop();
    } finally {
      this.isReleased = true;
      await this.lock.release();
    }
  }

  private askForRows(wanted: number): Promise<ReadonlyMap<string, OperationJob>> {
    const exclude = this.book.beginLoad();
    return this.loader.load({ exclude, limit: wanted + exclude.size, fence: this.lock.fence });
  }

  private fail(claim: ClaimedJob): void {
    const settlement = concludeCrashed(claim);
    const { id, type, retries, fence, traceId } = claim;
    const { message: error = '', name: errorName } = settlement.attempt?.error ?? {};
    const job = { id, type, attempt: retries + 1, fence, traceId };
    this.tools.events.emit({ name: 'job.failed', job, reason: 'crash', error, errorName });
    this.settle(settlement);
  }

  private async write(batch: readonly RowSettlement[]): Promise<void> {
    if (this.isOver) return;
    await this.transaction((manager) => this.writeIn(manager, batch));
    for (const { settlement } of batch) this.book.end(settlement);
  }

  /** Answers how many it has written. Those that are not there any more were, and only the answer to their COMMIT was lost. */
  private writeIn(manager: EntityManager, batch: readonly RowSettlement[]): Promise<number> {
    const { repository } = this.tools;
    const { type } = this.definition;
    const ids = batch.map(({ settlement }) => settlement.id);
    return this.lock.holdIn(manager, async () => {
      const open = new Set(await repository.running(manager, type, this.lock.fence, ids));
      const rest = batch.filter(({ settlement }) => open.has(settlement.id));
      if (rest.length === 0) return 0;
      const settlements = rest.map(({ settlement }) => settlement);
      await this.tellOperation(manager, settlements);
      await repository.settle(manager, type, rest, processName());
      return rest.length;
    });
  }

  private async tellOperation(manager: EntityManager, settlements: readonly Settlement[]): Promise<void> {
    const { operation, timeout, lock } = this.definition;
    const rowOf = ({ id }: Settlement) => this.book.get(id)?.row ?? { id, payload: undefined };
    const ended = settlements.filter(hasEnded).map((settlement) => toSettled(rowOf(settlement), settlement));
    const again = settlements.filter(runsAgain).map((settlement) => toRetried(rowOf(settlement), settlement));
    const update = async () => {
      if (ended.length > 0) await operation.batchUpdateJobs(ended, manager);
      if (again.length > 0) await operation.noteRetries(again, manager);
    };
    // The lock is not renewed while its row is locked.
    const limit = Math.min(timeout, lock.atMost / 2);
    await within(limit, update, () => this.giveUp(manager, limit));
  }

  /** A rollback would wait behind a statement that hangs, and what comes after it would be committed by itself. */
  private giveUp({ queryRunner }: EntityManager, limit: number): Error {
    this.tools.transactions.abandon(queryRunner);
    return new OperationHungError('batchUpdateJobs', limit);
  }

  private underLock<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.transaction((manager) => this.lock.holdIn(manager, () => work(manager)));
  }

  private transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.oneAtATime(async () => {
      await this.lock.refresh();
      return this.tools.transactions.begin(work);
    });
  }

  private lose(): void {
    if (this.isReleased) return;
    const { pool, events } = this.tools;
    this.loader.stop();
    events.emit({ name: 'operation.lost', operation: this.definition.type, fence: this.lock.fence, rows: this.size });
    pool.loseAll(this);
    void this.settler.drop();
  }
}
