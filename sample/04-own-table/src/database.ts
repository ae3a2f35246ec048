import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { TABLE } from './table.js';

/** A MariaDB server: that of `MARIADB_URL`, or one that exists for as long as this process. */
export interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

/** `undefined`: there is none, and no program to start one. */
export async function findServer(): Promise<Server | undefined> {
  const { MARIADB_URL: url } = process.env;
  if (url !== undefined) return { url, stop: async () => undefined };
  // Of the repository's tests: four lines that start a server with an empty folder, and stop it.
  const servers = new URL('../../../test/support/servers.mjs', import.meta.url).href;
  const { startMariaDb } = (await import(servers)) as { startMariaDb: () => Promise<Server | undefined> };
  return startMariaDb();
}

/** A database of our own on the server, with the table in it; `drop` removes both. */
export async function createDatabase({ url }: Server): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `own_table_${randomBytes(4).toString('hex')}`;
  const administer = async (on: string, ...statements: string[]) => {
    const server = await new DataSource({ type: 'mariadb', url: on }).initialize();
    for (const sql of statements) await server.query(sql);
    await server.destroy();
  };
  await administer(url, `CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  await administer(
    own.href,
    TABLE,
    'CREATE INDEX async_job_tab_due ON async_job_tab (job_status, job_type, start_time)',
  );
  return { url: own.href, drop: () => administer(url, `DROP DATABASE ${name}`) };
}
