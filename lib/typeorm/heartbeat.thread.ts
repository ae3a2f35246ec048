import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { DataSourceOptions } from 'typeorm';
import { messageOf } from '../support/message-of.js';
import { PollLoop } from '../support/poll-loop.js';
import { processTime, Pulse } from '../support/pulse.js';
import type { Database } from './database.js';
import type { FromThread, HeartbeatSettings, ToThread } from './heartbeat-messages.js';
import { openFrom } from './open-database.js';
import { PasswordDesk } from './password-desk.js';
import { queueTables } from './queue-tables.js';
import { beat } from './statements/nodes.js';

// A program of its own, in a thread of its own: it beats for the node that the pulse names, and decides nothing.
const port = parentPort as MessagePort;
const settings = workerData as HeartbeatSettings;
const pulse = new Pulse(settings.gap, settings.memory);
const passwords = new PasswordDesk((request) => tell({ kind: 'password', request }));
const loop = new PollLoop(step, failed);
let opened: Database | undefined;
let hasFailed = false;

port.on('message', (message: ToThread) => {
  if (message.kind === 'password') passwords.answer(message);
  else void stop();
});
loop.start();

async function step(): Promise<number> {
  opened ??= await open();
  const { node } = pulse;
  if (node === undefined || pulse.stillness > settings.hungAfter) return settings.beat / 2;
  const due = pulse.dueIn(settings.patience);
  if (due > 0) return due;
  return beatFor(opened, node);
}

async function beatFor(database: Database, node: string): Promise<number> {
  const sent = processTime();
  const tables = queueTables(database.dialect, settings.tablePrefix, settings.pool.serviceName);
  const { affected } = await database.query(beat(tables, node, settings.lease), 'control');
  hasFailed = false;
  if (affected > 0) pulse.noteBeat(sent);
  else tell({ kind: 'lost' });
  return Math.max(0, sent + settings.beat - processTime());
}

async function open(): Promise<Database> {
  const options = settings.asksPassword ? { ...settings.options, password: () => passwords.ask() } : settings.options;
  const database = await openFrom(options as DataSourceOptions, settings.pool, ({ error, ...retry }) =>
    tell({ kind: 'retried', error: messageOf(error), ...retry }),
  );
  tell({ kind: 'ready' });
  return database;
}

/** Told once: while the database is away, the main thread has as much to say. */
function failed(error: unknown): number {
  if (!hasFailed) tell({ kind: 'failed', error: messageOf(error) });
  hasFailed = true;
  return Math.min(settings.beat, 1_000);
}

async function stop(): Promise<void> {
  await loop.stop();
  await opened?.close();
  port.close();
}

function tell(message: FromThread): void {
  port.postMessage(message);
}
