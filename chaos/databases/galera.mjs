import mysql from 'mysql2/promise';
import { startGalera } from '../../test/support/galera.mjs';
import { onServer, POOL } from './server.mjs';

const DATABASE = 'chaos';

/** Three members: each process begins with another one, and takes the next when that one does not answer. */
export async function openGalera() {
  const cluster = await startGalera();
  if (cluster === undefined) return undefined;
  const { members } = cluster;
  const connection = await mysql.createConnection(members[0].url);
  await connection.query(`CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4`);
  await connection.end();
  const server = { url: members[0].url, stop: () => cluster.stop() };
  const extra = { connectionLimit: POOL };
  return {
    ...onServer({ server, dialect: 'galera', type: 'mariadb', database: DATABASE, extra }),
    members,
    workers: members.length + 1,
    serversFor: (index) => members.map((_, turn) => members[(index + turn) % members.length]),
  };
}
