import pLimit from 'p-limit';
import type { EntityManager } from 'typeorm';
import { ClaimHome } from '../completion/claim-home.js';
import { OperationHungError } from '../errors/operation-hung.error.js';
import type { QueueEvents } from '../events/queue-events.js';
import type { ClaimedJob } from '../job/job.js';
import type { OperationJob } from '../job/operation.js';
import type { Settlement } from '../job/settlement.js';
import type { Lock } from '../lock/lock.js';
import type { OperationRepository, RowSettlement } from '../repository/operation-repository.js';
import { processName } from '../support/process-name.js';
import { within } from '../support/within.js';
import type { ApplicationTransactions } from '../typeorm/application-transactions.js';
import type { WorkerPool } from '../worker/worker-pool.js';
import type { OperationDefinition } from './operation-definition.js';
import { readRows } from './read-rows.js';
import { RowBook } from './row-book.js';
import { concludeCrashed, isEnd, runsAgain, toClaim, toRetried, toSettled } from './row-job.js';
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
  private readonly settler: RowSettler;
  /** More than one transaction that locks the lock's row would only wait for the other, with a connection each. */
  private readonly oneAtATime = pLimit(1);
  private loading: AbortController | undefined;
  private toldOf: string | undefined;
  private isReleased = false;

  constructor(
    private readonly definition: OperationDefinition,
    private readonly lock: Lock,
    private readonly tools: OperationTools,
    private readonly onSettled: () => void,
  ) {
    super();
    this.book = new RowBook(definition.handler.options.maxCrashes);
    const written = () => {
      tools.pool.written();
      onSettled();
    };
    this.settler = new RowSettler(definition.type, (batch) => this.write(batch), written, tools.events);
    lock.signal.addEventListener('abort', () => this.lose(), { once: true });
  }

  get isOver(): boolean {
    return this.isReleased || this.lock.signal.aborted;
  }

  get isEmpty(): boolean {
    return this.settler.size === 0;
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
    return this.book.get(id).row.payload;
  }

  starting(): boolean {
    return !this.isOver;
  }

  ended(): void {}

  settle(settlement: Settlement): void {
    if (!this.isOver) this.settler.add(this.turnOf(settlement));
  }

  async settleIn(manager: EntityManager, settlement: Settlement): Promise<boolean> {
    await this.writeIn(manager, [this.turnOf(settlement)]);
    return true;
  }

  completed(settlement: Settlement): void {
    this.book.end(settlement);
    this.onSettled();
  }

  /** Writes what is left, and gives the lock to whoever wants it. */
  async end(): Promise<void> {
    this.loading?.abort();
    await this.settler.stop();
    this.isReleased = true;
    await this.lock.release();
  }

  private async askForRows(wanted: number): Promise<ReadonlyMap<string, OperationJob>> {
    const { type, operation, timeout } = this.definition;
    const exclude = this.book.beginLoad();
    const loading = new AbortController();
    this.loading = loading;
    const scope = { type, exclude, limit: wanted + exclude.size, signal: loading.signal, fence: this.lock.fence };
    const hung = () => new OperationHungError('loadJobs', timeout);
    try {
      const answer = await this.tools.transactions.read((manager) =>
        within(timeout, () => operation.loadJobs({ ...scope, manager }), hung),
      );
      const { rows, faults } = readRows(answer);
      this.tellOf(faults);
      return rows;
    } finally {
      loading.abort();
    }
  }

  /** Once, not with every load. */
  private tellOf(faults: readonly string[]): void {
    const [first] = faults;
    if (first !== undefined && first !== this.toldOf)
      this.tools.events.emit({
        name: 'operation.bad-rows',
        operation: this.definition.type,
        rows: faults.length,
        first,
      });
    this.toldOf = first;
  }

  private fail(claim: ClaimedJob): void {
    const settlement = concludeCrashed(claim);
    const { id, type, retries } = claim;
    const error = settlement.attempt?.error?.message ?? '';
    this.tools.events.emit({ name: 'job.failed', job: { id, type, attempt: retries + 1 }, reason: 'crash', error });
    this.settle(settlement);
  }

  private async write(batch: readonly RowSettlement[]): Promise<void> {
    if (this.isOver) return;
    await this.inTransaction((manager) => this.writeIn(manager, batch));
    for (const { settlement } of batch) this.book.end(settlement);
  }

  private writeIn(manager: EntityManager, batch: readonly RowSettlement[]): Promise<void> {
    const { type, operation } = this.definition;
    const settlements = batch.map(({ settlement }) => settlement);
    const row = ({ id }: Settlement) => this.book.get(id).row;
    const ended = settlements.filter(isEnd).map((settlement) => toSettled(row(settlement), settlement));
    const again = settlements.filter(runsAgain).map((settlement) => toRetried(row(settlement), settlement));
    return this.lock.holdIn(manager, async () => {
      if (ended.length > 0) await this.inTime(() => operation.batchUpdateJobs(ended, manager));
      if (again.length > 0) await this.inTime(() => operation.noteRetries(again, manager));
      await this.tools.repository.settle(manager, type, batch, processName());
    });
  }

  /** The lock is not renewed while its row is locked. */
  private inTime(update: () => void | Promise<void>): Promise<void> {
    const limit = Math.min(this.definition.timeout, this.definition.lock.atMost / 2);
    return within(limit, update, () => new OperationHungError('batchUpdateJobs', limit));
  }

  private underLock<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.inTransaction((manager) => this.lock.holdIn(manager, () => work(manager)));
  }

  private inTransaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.oneAtATime(async () => {
      await this.lock.prepare();
      return this.tools.transactions.begin(work);
    });
  }

  private turnOf(settlement: Settlement): RowSettlement {
    return { turn: this.book.get(settlement.id).turn, settlement };
  }

  private lose(): void {
    if (this.isReleased) return;
    const { pool, events } = this.tools;
    this.loading?.abort();
    events.emit({ name: 'operation.lost', operation: this.definition.type, fence: this.lock.fence, rows: this.size });
    pool.loseAll(this);
    void this.settler.drop();
  }
}
