import { PersistentQueueError } from './persistent-queue.error.js';

/** A package that the application brings, and that cannot be found from here. */
export class MissingPackageError extends PersistentQueueError {
  constructor(
    readonly packageName: string,
    purpose: string,
    options?: ErrorOptions,
  ) {
    super(
      PersistentQueueError.compose(
        `The package for ${purpose} is not installed`,
        packageName,
        `Install it where nestjs-persistent-queue is installed: npm install ${packageName}`,
      ),
      options,
    );
  }
}
