import { startMariaDb } from '../../test/support/servers.mjs';
import { openFamily } from './mysql-family.mjs';

export function open() {
  return openFamily('mariadb', startMariaDb);
}
