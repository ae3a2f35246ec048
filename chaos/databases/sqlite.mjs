import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WORKERS } from './server.mjs';

export async function openSqlite() {
  const folder = mkdtempSync(join(tmpdir(), 'pq-chaos-'));
  const file = join(folder, 'chaos.sqlite');
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.on('exit', remove);
  return {
    dialect: 'sqlite',
    workers: WORKERS,
    port: undefined,
    direct: { dialect: 'sqlite', file },
    optionsThrough: () => ({ type: 'better-sqlite3', database: file, enableWAL: true, timeout: 0 }),
    stop: async () => remove(),
  };
}
