import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { sqliteDriver } from './sqlite-driver.js';

/** Asked by the test with a command, and answers it with what it sees. */
export type Command = 'lock' | 'commit' | 'count';

const database = process.argv[2] ?? '';
const dataSource = await new DataSource({
  type: 'better-sqlite3',
  driver: await sqliteDriver(),
  database,
  timeout: 0,
}).initialize();

const commands: Record<Command, () => Promise<unknown>> = {
  lock: () => dataSource.query('BEGIN IMMEDIATE'),
  commit: () => dataSource.query('COMMIT'),
  count: async () => {
    const [row] = await dataSource.query<{ count: number }[]>('SELECT COUNT(*) AS count FROM purchase');
    return row?.count;
  },
};

process.on('message', (command: Command) => {
  commands[command]().then(
    (value) => process.send?.({ value }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
// A test that dies must not leave it behind.
process.on('disconnect', () => process.exit(1));
process.send?.({ ready: process.pid });
