import { startMySql } from '../../test/support/servers.mjs';
import { attachFamily, openFamily } from './mysql-family.mjs';

/** Downloaded by `npm test`, unless there is one in the PATH. */
export function open() {
  return openFamily({ type: 'mysql', product: 'MySQL', url: process.env.MYSQL_URL, start: startMySql });
}

export const attach = attachFamily;
