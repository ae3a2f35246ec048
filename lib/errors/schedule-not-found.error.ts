import { PersistentQueueError } from './persistent-queue.error.js';

/**
 * There is no schedule with this name in this service.
 *
 * @publicApi
 */
export class ScheduleNotFoundError extends PersistentQueueError {
  // Not `name`: that is the error's own.
  constructor(readonly schedule: string) {
    super(
      PersistentQueueError.compose(
        'No such schedule',
        schedule,
        'See schedules.list(); names are compared byte by byte.',
      ),
    );
  }
}
