import { startMariaDb } from '../../test/support/servers.mjs';
import { attachFamily, openFamily } from './mysql-family.mjs';

export function open() {
  return openFamily({ type: 'mariadb', product: 'MariaDB', url: process.env.MARIADB_URL, start: startMariaDb });
}

export const attach = attachFamily;
