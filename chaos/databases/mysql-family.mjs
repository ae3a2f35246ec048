import mysql from 'mysql2/promise';
import { onServer, POOL } from './server.mjs';

const DATABASE = 'chaos';

export async function openFamily(type, start) {
  const server = await start({ durable: true });
  if (server === undefined) return undefined;
  const connection = await mysql.createConnection(server.url);
  await connection.query(`CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4`);
  await connection.end();
  return onServer({ server, dialect: 'mysql', type, database: DATABASE, extra: { connectionLimit: POOL } });
}
