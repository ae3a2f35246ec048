/**
 * A batch of settlements that cannot be written as it is, although the database is well: it refuses a value, or somebody holds a
 * lock on a row. Each of them is then written alone, so that the others do not wait.
 */
export class UnwritableError extends Error {
  constructor(
    readonly why: 'refused' | 'locked',
    cause: unknown,
  ) {
    super(`The database ${why === 'refused' ? 'refuses a value' : 'waits for a lock'}`, { cause });
    this.name = 'UnwritableError';
  }
}
