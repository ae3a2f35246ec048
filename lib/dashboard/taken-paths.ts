import { InvalidOptionError } from '../errors/invalid-option.error.js';

const taken = new WeakMap<object, Set<string>>();

/** Throws `InvalidOptionError` when another dashboard of the same server has the path: only one of the two would ever be asked. */
export function takePath(server: object, path: string): void {
  const paths = taken.get(server) ?? new Set<string>();
  if (paths.has(path)) {
    const cure = 'Another dashboard of this application is there: give each a path of its own.';
    throw new InvalidOptionError('PersistentQueueDashboardModule.forRoot().path', path, cure);
  }
  taken.set(server, paths.add(path));
}
