/** Attributes of the messaging conventions, and ours. Payloads are in none of them. */
export const SYSTEM = 'messaging.system';
export const OPERATION_NAME = 'messaging.operation.name';
export const OPERATION_TYPE = 'messaging.operation.type';
export const DESTINATION = 'messaging.destination.name';
export const MESSAGE_ID = 'messaging.message.id';
export const BATCH_COUNT = 'messaging.batch.message_count';
export const CLIENT = 'messaging.client.id';
export const ERROR_TYPE = 'error.type';

export const SERVICE = 'persistent_queue.service';
export const QUEUE = 'persistent_queue.queue';
export const OUTCOME = 'persistent_queue.outcome';
export const REASON = 'persistent_queue.reason';
export const STATE = 'persistent_queue.state';
export const TRACE_ID = 'persistent_queue.trace_id';
export const CREATED = 'persistent_queue.created';
export const SCHEDULE = 'persistent_queue.schedule';
export const STEP_NAME = 'persistent_queue.step.name';
export const STEP_KIND = 'persistent_queue.step.kind';
export const STEP_ATTEMPT = 'persistent_queue.step.attempt';

export const SYSTEM_NAME = 'persistent_queue';
/** The instrumentation scope of tracers and meters. */
export const SCOPE = 'nestjs-persistent-queue';
