import { startPostgres } from '../../test/support/servers.mjs';
import { onServer, POOL } from './server.mjs';

export async function openPostgres() {
  const server = await startPostgres({ durable: true });
  if (server === undefined) return undefined;
  return onServer({ server, dialect: 'postgres', type: 'postgres', database: 'postgres', extra: { max: POOL } });
}
