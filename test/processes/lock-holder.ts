import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { LockService, PersistentQueueModule, type Lock } from 'nestjs-persistent-queue';
import { setTimeout as pause } from 'node:timers/promises';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { sqliteDriver } from './sqlite-driver.js';

/** What the test tells a process, as JSON in its first argument. Milliseconds. */
export interface LockHolderSettings {
  database: DataSourceOptions;
  atMost: number;
  /** How long it works under the lock before it releases it, unless the lock is lost. */
  work: number;
}

/** What it tells the test. */
export type LockHolderMessage =
  | { held: number }
  | { released: number }
  /** Its signal was aborted, and why. */
  | { lost: number; why: string }
  /** The ledger has seen a newer fence. `aborted`: whether the signal knew when the answer came. */
  | { refused: number; aborted: boolean }
  /** The process stood still for longer than atMost, and whether the first look at the signal afterwards knew. */
  | { stoodStill: number; aborted: boolean }
  | { failed: string };

const tell = (message: LockHolderMessage) => process.send?.(message);
// A test that dies must not leave its processes behind.
process.on('disconnect', () => process.exit(1));
process.on('unhandledRejection', (error) => {
  tell({ failed: `unhandled: ${String(error)}` });
  process.exit(1);
});

const { database, atMost, work } = JSON.parse(process.argv[2] ?? '') as LockHolderSettings;
const connection = database.type === 'better-sqlite3' ? { ...database, driver: await sqliteDriver() } : database;

@Module({ imports: [TypeOrmModule.forRoot(connection), PersistentQueueModule.forRoot({ roles: ['enqueue'] })] })
class LockHolderModule {}

const app = await NestFactory.createApplicationContext(LockHolderModule, {
  logger: process.env['PQ_TEST_LOG'] === undefined ? false : ['error', 'warn', 'debug'],
});
const locks = app.get(LockService);
const dataSource = app.get(DataSource);

/** When this process had its last turn, and the pauses that no look at a signal has followed yet. */
const TICK = 10;
let lastTurn = performance.now();
let stood = { from: 0, ms: 0 };
const noteTurn = () => {
  const now = performance.now();
  if (now - lastTurn > atMost + TICK) stood = { from: lastTurn, ms: now - lastTurn };
  lastTurn = now;
};
setInterval(noteTurn, TICK);

/** The first thing that is done with the signal after a pause. */
function isAborted({ signal }: Lock, since: number): boolean {
  const aborted = signal.aborted;
  noteTurn();
  if (stood.ms > 0 && stood.from > since) tell({ stoodStill: Math.round(stood.ms), aborted });
  stood = { from: 0, ms: 0 };
  return aborted;
}

/** Accepts no fence that is older than one it has seen. One statement: a process that is stopped in a transaction would stop all. */
async function write(fence: number): Promise<boolean> {
  const runner = dataSource.createQueryRunner();
  try {
    const sql = `UPDATE ledger SET fence = ${fence}, pid = ${process.pid} WHERE id = 1 AND fence <= ${fence}`;
    const { affected } = await runner.query(sql, [], true);
    return affected === 1;
  } catch (error) {
    if (!String(error).includes('database is locked')) throw error;
    await pause(1);
    return write(fence);
  } finally {
    await runner.release();
  }
}

async function writeAndTell(lock: Lock): Promise<void> {
  if (!(await write(lock.fence))) tell({ refused: lock.fence, aborted: lock.signal.aborted });
}

async function workUnder(lock: Lock): Promise<void> {
  const since = performance.now();
  for (;;) {
    if (isAborted(lock, since)) {
      tell({ lost: lock.fence, why: (lock.signal.reason as { why: string }).why });
      // As work does that has not looked.
      return writeAndTell(lock);
    }
    if (performance.now() - since > work) return;
    await writeAndTell(lock);
    await pause(5);
  }
}

for (;;) {
  try {
    await locks.using('ledger', { atMost, wait: '1h' }, async (lock) => {
      tell({ held: lock.fence });
      await workUnder(lock);
    });
    tell({ released: 0 });
  } catch (error) {
    tell({ failed: String(error) });
  }
  await pause(Math.random() * 20);
}
