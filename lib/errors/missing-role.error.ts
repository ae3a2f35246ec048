import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * Something was asked of this process that its `roles` leave to others.
 *
 * @publicApi
 */
export class MissingRoleError extends PersistentQueueError {
  constructor(
    readonly role: string,
    roles: Iterable<string>,
  ) {
    const cure = `Add '${role}' to PersistentQueueModule.forRoot({ roles }), or call it in a process that has it.`;
    super(PersistentQueueError.compose(`This process does not have the role '${role}'`, [...roles], cure));
  }
}
